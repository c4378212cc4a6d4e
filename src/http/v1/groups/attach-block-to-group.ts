import Type from 'typebox'
import * as domain from '#agent/groups/modify-group.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { NullBody, sendNull } from '#http/wire/send-null.ts'
import { GroupId } from './group-schema.ts'

const Params = Type.Object({ ...GroupId.properties, block_id: Type.String({ minLength: 1 }) })

export function attachBlockToGroup(app: App, context: Context): void {
  app.patch(
    '/v1/groups/:group_id/blocks/attach/:block_id',
    {
      config: { permission: 'groups:write' },
      schema: {
        operationId: 'attach_block_to_group',
        tags: ['groups'],
        summary: 'Attach a block to a group and all its agents',
        params: Params,
        response: { 200: NullBody },
      },
    },
    async ({ actor, params }, reply) => {
      await domain.attachBlockToGroup(context.db, actor.organizationId, params.group_id, params.block_id)
      return sendNull(reply)
    },
  )
}
