import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { Timestamp } from '#http/wire/nullable.ts'
import { offsetParameters, toOffsetPage } from '#http/wire/offset-paging.ts'
import * as reader from '#store/templates/template-reader.ts'
import { ProjectNameParams, templateOf } from './template-schema.ts'

const Version = Type.Object({
  version: Type.String(),
  created_at: Timestamp,
  message: Type.Optional(Type.String()),
  is_latest: Type.Boolean(),
})

export function listTemplateVersions(app: App, context: Context): void {
  app.get(
    '/v1/templates/:project_id/:template_name/versions',
    {
      config: { permission: 'templates:read' },
      schema: {
        operationId: 'list_template_versions',
        tags: ['templates'],
        summary: 'List the saved versions of a template, newest first',
        params: ProjectNameParams,
        querystring: Type.Object(offsetParameters(50)),
        response: {
          200: Type.Object({
            versions: Type.Array(Version),
            has_next_page: Type.Boolean(),
            total_count: Type.Integer(),
          }),
        },
      },
    },
    async (request) => {
      const { template } = await templateOf(context, request)
      const { limit, offset } = toOffsetPage(request.query)
      const page = { limit, offset }
      const rows = await reader.listTemplateVersions(context.db, request.actor.organizationId, template.id, page)
      const versions = rows.map(({ version, message, created_at }) => ({
        version: String(version),
        created_at: created_at.toISOString(),
        ...(message === null ? {} : { message }),
        is_latest: version === template.latest_version,
      }))
      const total_count = template.latest_version
      return { versions, has_next_page: offset + rows.length < total_count, total_count }
    },
  )
}
