import * as domain from '#agent/groups/modify-group.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { GroupId, GroupSchema, UpdateGroupSchema } from './group-schema.ts'
import { presentGroup } from './present-group.ts'

export function modifyGroup(app: App, context: Context): void {
  app.patch(
    '/v1/groups/:group_id',
    {
      config: { permission: 'groups:write' },
      schema: {
        operationId: 'modify_group',
        tags: ['groups'],
        summary: 'Change a group: what is left out stays, lists replace',
        params: GroupId,
        body: UpdateGroupSchema,
        response: { 200: GroupSchema },
      },
    },
    async ({ actor, params, body }) => presentGroup(await domain.modifyGroup(context.db, actor, params.group_id, body)),
  )
}
