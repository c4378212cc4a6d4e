import { removeTemplate } from '#agent/templates/change-template.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { NameParams, ProjectNameParams, SuccessSchema, templateOf } from './template-schema.ts'

const PLACES = [
  { url: '/v1/templates/:template_name', operationId: 'delete_template', params: NameParams },
  {
    url: '/v1/templates/:project_id/:template_name',
    operationId: 'delete_template_in_project',
    params: ProjectNameParams,
  },
] as const

export function deleteTemplate(app: App, context: Context): void {
  for (const { url, operationId, params } of PLACES) {
    app.delete(
      url,
      {
        config: { permission: 'templates:write' },
        schema: {
          operationId,
          tags: ['templates'],
          summary: 'Delete a template with all its versions; its agents stay',
          params,
          response: { 200: SuccessSchema },
        },
      },
      async (request) => {
        const { template } = await templateOf(context, request)
        await removeTemplate(context.db, request.actor.organizationId, template)
        return { success: true }
      },
    )
  }
}
