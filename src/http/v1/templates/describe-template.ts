import Type from 'typebox'
import * as domain from '#agent/templates/change-template.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { Nullable } from '#http/wire/nullable.ts'
import { ProjectNameParams, SuccessSchema, templateOf } from './template-schema.ts'

export function describeTemplate(app: App, context: Context): void {
  app.patch(
    '/v1/templates/:project_id/:template_name/description',
    {
      config: { permission: 'templates:write' },
      schema: {
        operationId: 'update_template_description',
        tags: ['templates'],
        summary: 'Change the description of a template; without one it has none',
        params: ProjectNameParams,
        body: Type.Object({ description: Type.Optional(Nullable(Type.String())) }),
        response: { 200: SuccessSchema },
      },
    },
    async (request) => {
      const { template } = await templateOf(context, request)
      await domain.describeTemplate(context.db, request.actor, template, request.body.description ?? null)
      return { success: true }
    },
  )
}
