import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { StringEnum } from '#http/wire/nullable.ts'
import { offsetParameters, toOffsetPage } from '#http/wire/offset-paging.ts'
import * as reader from '#store/templates/template-reader.ts'
import { presentTemplate, TemplateSchema } from './template-schema.ts'

export function listTemplates(app: App, context: Context): void {
  app.get(
    '/v1/templates',
    {
      config: { permission: 'templates:read' },
      schema: {
        operationId: 'list_templates',
        tags: ['templates'],
        summary: 'List templates, those changed last first',
        querystring: Type.Object({
          ...offsetParameters(50),
          name: Type.Optional(Type.String({ description: 'The name; part of it unless `exact` is true' })),
          exact: Type.Boolean({ default: false }),
          search: Type.Optional(Type.String({ description: 'Part of the name, in any case' })),
          template_id: Type.Optional(Type.String()),
          project_id: Type.Optional(Type.String()),
          project_slug: Type.Optional(Type.String()),
          sort_by: StringEnum(['updated_at', 'created_at'], { default: 'updated_at' }),
        }),
        response: { 200: Type.Object({ templates: Type.Array(TemplateSchema), has_next_page: Type.Boolean() }) },
      },
    },
    async ({ actor, query }) => {
      const { limit, offset } = toOffsetPage(query)
      const filter = {
        id: query.template_id,
        name: query.exact ? query.name : undefined,
        search: query.search || (query.exact ? undefined : query.name) || undefined,
        projectId: query.project_id,
        projectSlug: query.project_slug,
      }
      const page = { limit: limit + 1, offset, sortBy: query.sort_by }
      const rows = await reader.listTemplates(context.db, actor.organizationId, filter, page)
      return { templates: rows.slice(0, limit).map(presentTemplate), has_next_page: rows.length > limit }
    },
  )
}
