import { resetGroup } from '#agent/groups/reset-group.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { NullBody, sendNull } from '#http/wire/send-null.ts'
import { GroupId } from './group-schema.ts'

export function resetGroupMessages(app: App, context: Context): void {
  app.patch(
    '/v1/groups/:group_id/reset-messages',
    {
      config: { permission: 'groups:write' },
      schema: {
        operationId: 'reset_group_messages',
        tags: ['groups'],
        summary: 'Delete what was said in the default conversations of all agents of a group',
        params: GroupId,
        response: { 200: NullBody },
      },
    },
    async ({ actor, params }, reply) => {
      await resetGroup(context, actor.organizationId, params.group_id)
      return sendNull(reply)
    },
  )
}
