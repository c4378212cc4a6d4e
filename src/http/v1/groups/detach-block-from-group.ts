import Type from 'typebox'
import * as domain from '#agent/groups/modify-group.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { NullBody, sendNull } from '#http/wire/send-null.ts'
import { GroupId } from './group-schema.ts'

const Params = Type.Object({ ...GroupId.properties, block_id: Type.String({ minLength: 1 }) })

export function detachBlockFromGroup(app: App, context: Context): void {
  app.patch(
    '/v1/groups/:group_id/blocks/detach/:block_id',
    {
      config: { permission: 'groups:write' },
      schema: {
        operationId: 'detach_block_from_group',
        tags: ['groups'],
        summary: 'Detach a block from a group and all its agents',
        params: Params,
        response: { 200: NullBody },
      },
    },
    async ({ actor, params }, reply) => {
      await domain.detachBlockFromGroup(context.db, actor.organizationId, params.group_id, params.block_id)
      return sendNull(reply)
    },
  )
}
