import Type from 'typebox'
import * as domain from '#agent/templates/create-template.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { AnyObject } from '#http/wire/nullable.ts'
import { ProjectParams, presentTemplate, TemplateSchema, templateAuthorOf } from './template-schema.ts'

const PLACES = [
  { url: '/v1/templates', operationId: 'create_template', params: Type.Object({}) },
  { url: '/v1/templates/:project_id', operationId: 'create_template_in_project', params: ProjectParams },
] as const

const Name = Type.Optional(
  Type.String({ description: "Letters, digits, '_' and '-'; a random one where it is left out" }),
)
const Body = Type.Union([
  Type.Object({ type: Type.Literal('agent'), agent_id: IdSchema('agent'), name: Name }),
  Type.Object({
    type: Type.Literal('agent_file'),
    agent_file: AnyObject,
    name: Name,
    update_existing_tools: Type.Optional(Type.Boolean()),
  }),
])

export function createTemplate(app: App, context: Context): void {
  for (const { url, operationId, params } of PLACES) {
    app.post(
      url,
      {
        config: { permission: 'templates:write' },
        schema: {
          operationId,
          tags: ['templates'],
          summary: 'Create a template from an agent or an agent file, with its first version',
          params,
          body: Body,
          response: { 201: TemplateSchema },
        },
      },
      async (request, reply) => {
        const { body } = request
        const source =
          body.type === 'agent'
            ? ({ type: 'agent', agentId: body.agent_id } as const)
            : ({
                type: 'agent_file',
                file: body.agent_file,
                updatesTools: body.update_existing_tools ?? false,
              } as const)
        const template = await domain.createTemplate(context.db, templateAuthorOf(request), source, body.name)
        return reply.code(201).send(presentTemplate(template))
      },
    )
  }
}
