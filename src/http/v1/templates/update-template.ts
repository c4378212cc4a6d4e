import Type from 'typebox'
import * as domain from '#agent/templates/change-template.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { AnyObject } from '#http/wire/nullable.ts'
import { NameParams, ProjectNameParams, SuccessSchema, templateOf } from './template-schema.ts'

const PLACES = [
  { method: 'PATCH', url: '/v1/templates/:template_name', operationId: 'update_template', params: NameParams },
  {
    method: 'PUT',
    url: '/v1/templates/:project_id/:template_name/agent-file',
    operationId: 'update_template_in_project',
    params: ProjectNameParams,
  },
] as const

const Body = Type.Object({
  agent_file_json: AnyObject,
  update_existing_tools: Type.Boolean({ default: false }),
  save_existing_changes: Type.Boolean({ default: false }),
})

export function updateTemplate(app: App, context: Context): void {
  for (const { method, url, operationId, params } of PLACES) {
    app.route({
      method,
      url,
      config: { permission: 'templates:write' },
      schema: {
        operationId,
        tags: ['templates'],
        summary: 'Change the version under work to what an agent file has',
        params,
        body: Body,
        response: { 200: SuccessSchema },
      },
      handler: async (request) => {
        const { body } = request
        const { template } = await templateOf(context, request)
        const { savedAs } = await domain.updateTemplate(context.db, request.actor, template, {
          file: body.agent_file_json,
          updatesTools: body.update_existing_tools,
          savesChanges: body.save_existing_changes,
        })
        const message = savedAs === undefined ? 'Updated.' : `Updated; what was changed before is version ${savedAs}.`
        return { success: true, message }
      },
    })
  }
}
