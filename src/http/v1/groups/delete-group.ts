import { removeGroup } from '#agent/groups/modify-group.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { NullBody, sendNull } from '#http/wire/send-null.ts'
import { GroupId } from './group-schema.ts'

export function deleteGroup(app: App, context: Context): void {
  app.delete(
    '/v1/groups/:group_id',
    {
      config: { permission: 'groups:write' },
      schema: {
        operationId: 'delete_group',
        tags: ['groups'],
        summary: 'Delete a group; its agents stay',
        params: GroupId,
        response: { 200: NullBody },
      },
    },
    async ({ actor, params }, reply) => {
      await removeGroup(context.db, actor.organizationId, params.group_id)
      return sendNull(reply)
    },
  )
}
