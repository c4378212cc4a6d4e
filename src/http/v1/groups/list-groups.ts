import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { StringEnum } from '#http/wire/nullable.ts'
import { pagingParameters, toPageRequest } from '#http/wire/paging.ts'
import * as reader from '#store/groups/group-reader.ts'
import { MANAGER_TYPES } from '#store/groups/group-row.ts'
import { GroupSchema } from './group-schema.ts'
import { presentGroup } from './present-group.ts'

export function listGroups(app: App, context: Context): void {
  app.get(
    '/v1/groups',
    {
      config: { permission: 'groups:read' },
      schema: {
        operationId: 'list_groups',
        tags: ['groups'],
        summary: 'List groups, oldest first unless asked otherwise',
        querystring: Type.Object({
          ...pagingParameters({ order: 'asc' }),
          manager_type: Type.Optional(StringEnum([...MANAGER_TYPES, 'swarm'])),
          project_id: Type.Optional(Type.String()),
          show_hidden_groups: Type.Boolean({ default: false }),
        }),
        response: { 200: Type.Array(GroupSchema) },
      },
    },
    async ({ actor, query }) => {
      const filter = {
        managerType: query.manager_type,
        projectId: query.project_id,
        includesHidden: query.show_hidden_groups,
      }
      const rows = await reader.listGroups(context.db, actor.organizationId, filter, toPageRequest(query))
      return rows.map(presentGroup)
    },
  )
}
