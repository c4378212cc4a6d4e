import Type from 'typebox'
import * as domain from '#agent/templates/change-template.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { ProjectNameParams, SuccessSchema, templateOf } from './template-schema.ts'

export function renameTemplate(app: App, context: Context): void {
  app.patch(
    '/v1/templates/:project_id/:template_name/name',
    {
      config: { permission: 'templates:write' },
      schema: {
        operationId: 'rename_template',
        tags: ['templates'],
        summary: 'Rename a template, all its versions',
        params: ProjectNameParams,
        body: Type.Object({ new_name: Type.String() }),
        response: { 200: SuccessSchema },
      },
    },
    async (request) => {
      const { template } = await templateOf(context, request)
      await domain.renameTemplate(context.db, request.actor, template, request.body.new_name)
      return { success: true }
    },
  )
}
