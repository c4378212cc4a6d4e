import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { getGroup } from '#store/groups/group-reader.ts'
import { GroupId, GroupSchema } from './group-schema.ts'
import { presentGroup } from './present-group.ts'

export function retrieveGroup(app: App, context: Context): void {
  app.get(
    '/v1/groups/:group_id',
    {
      config: { permission: 'groups:read' },
      schema: {
        operationId: 'retrieve_group',
        tags: ['groups'],
        summary: 'Retrieve a group',
        params: GroupId,
        response: { 200: GroupSchema },
      },
    },
    async ({ actor, params }) => presentGroup(await getGroup(context.db, actor.organizationId, params.group_id)),
  )
}
