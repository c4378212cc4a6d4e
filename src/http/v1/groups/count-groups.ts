import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import * as reader from '#store/groups/group-reader.ts'

export function countGroups(app: App, context: Context): void {
  app.get(
    '/v1/groups/count',
    {
      config: { permission: 'groups:read' },
      schema: {
        operationId: 'count_groups',
        tags: ['groups'],
        summary: 'Count all groups',
        response: { 200: Type.Integer() },
      },
    },
    ({ actor }) => reader.countGroups(context.db, actor.organizationId),
  )
}
