import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { offsetParameters, toOffsetPage } from '#http/wire/offset-paging.ts'
import { containsPattern } from '#store/contains-pattern.ts'
import * as store from '#store/projects/project-store.ts'
import { ProjectSchema, presentProject } from './project-schema.ts'

export function listProjects(app: App, context: Context): void {
  app.get(
    '/v1/projects',
    {
      config: { permission: 'projects:read' },
      schema: {
        operationId: 'list_projects',
        tags: ['projects'],
        summary: 'List projects, newest first',
        querystring: Type.Object({
          ...offsetParameters(50),
          name: Type.Optional(Type.String({ description: 'Part of the name, in any case' })),
        }),
        response: { 200: Type.Object({ projects: Type.Array(ProjectSchema), hasNextPage: Type.Boolean() }) },
      },
    },
    async ({ actor, query }) => {
      const { limit, offset } = toOffsetPage(query)
      const namePattern = query.name ? containsPattern(query.name) : undefined
      const page = { namePattern, limit: limit + 1, offset }
      const rows = await store.listProjects(context.db, actor.organizationId, page)
      return { projects: rows.slice(0, limit).map(presentProject), hasNextPage: rows.length > limit }
    },
  )
}
