import Type from 'typebox'
import * as domain from '#agent/templates/change-template.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { NameParams, ProjectNameParams, SuccessSchema, templateOf } from './template-schema.ts'

const PLACES = [
  { url: '/v1/templates/:template_name/rollback', operationId: 'rollback_template', params: NameParams },
  {
    url: '/v1/templates/:project_id/:template_name/rollback',
    operationId: 'rollback_template_in_project',
    params: ProjectNameParams,
  },
] as const

export function rollBackTemplate(app: App, context: Context): void {
  for (const { url, operationId, params } of PLACES) {
    app.post(
      url,
      {
        config: { permission: 'templates:write' },
        schema: {
          operationId,
          tags: ['templates'],
          summary: 'Make the version under work the same as a saved one; what was not saved is saved before',
          params,
          body: Type.Object({ version: Type.String({ description: "A number, or 'latest'" }) }),
          response: { 200: SuccessSchema },
        },
      },
      async (request) => {
        const { template } = await templateOf(context, request)
        const { body, actor } = request
        const { version, savedAs } = await domain.rollBackTemplate(context.db, actor, template, body.version)
        const saved = savedAs === undefined ? '' : ` What was changed before is version ${savedAs}.`
        return { success: true, message: `The version under work is version ${version} again.${saved}` }
      },
    )
  }
}
