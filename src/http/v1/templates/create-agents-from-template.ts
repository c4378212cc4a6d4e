import Type from 'typebox'
import { createAgentFromTemplate } from '#agent/templates/create-agent-from-template.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { Nullable, StringEnum } from '#http/wire/nullable.ts'
import { ProjectVersionParams, templateOf, VersionParams } from './template-schema.ts'

const PLACES = [
  { url: '/v1/templates/:template_version/agents', operationId: 'create_agents_from_template', params: VersionParams },
  {
    url: '/v1/templates/:project_id/:template_version/agents',
    operationId: 'create_agents_from_template_in_project',
    params: ProjectVersionParams,
  },
] as const

const optional = <Schema extends Type.TSchema>(schema: Schema) => Type.Optional(Nullable(schema))
const Variables = Type.Optional(Type.Record(Type.String(), Type.String()))

const InitialMessage = Type.Object({
  role: StringEnum(['user', 'system', 'assistant']),
  content: Type.String(),
  name: optional(Type.String()),
  otid: optional(Type.String()),
  sender_id: optional(Type.String()),
  batch_item_id: optional(Type.String()),
  group_id: optional(Type.String()),
})

const Body = Type.Optional(
  Nullable(
    Type.Object({
      agent_name: optional(Type.String({ description: 'A random one where it is left out' })),
      tags: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 500 }))),
      identity_ids: Type.Optional(Type.Array(IdSchema('identity'))),
      initial_message_sequence: Type.Optional(Type.Array(InitialMessage)),
      memory_variables: Variables,
      tool_variables: Variables,
    }),
  ),
)

export function createAgentsFromTemplate(app: App, context: Context): void {
  for (const { url, operationId, params } of PLACES) {
    app.post(
      url,
      {
        config: { permission: 'templates:write' },
        schema: {
          operationId,
          tags: ['templates'],
          summary: 'Create an agent from a version of a template',
          params,
          body: Body,
          response: {
            201: Type.Object({
              agent_ids: Type.Array(Type.String()),
              group_id: Nullable(Type.String()),
              deployment_id: Type.String(),
            }),
          },
        },
      },
      async (request, reply) => {
        const { db, models, config } = context
        const deps = { db, models, defaultModel: config.defaultModel, defaultEmbedding: config.defaultEmbedding }
        const found = await templateOf(context, request)
        const { agent, deploymentId } = await createAgentFromTemplate(deps, request.actor, found, request.body ?? {})
        const group_id = agent.managed_group?.id ?? null
        return reply.code(201).send({ agent_ids: [agent.id], group_id, deployment_id: deploymentId })
      },
    )
  }
}
