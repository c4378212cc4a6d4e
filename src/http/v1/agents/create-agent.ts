import Type from 'typebox'
import * as domain from '#agent/create-agent.ts'
import { getProject } from '#agent/projects/create-project.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { ProjectHeaders } from '#http/plugins/project.ts'
import { CreateBlockSchema } from '#http/v1/blocks/block-schema.ts'
import { Nullable, StringEnum } from '#http/wire/nullable.ts'
import { AgentSchema, AgentTypeSchema, agentFields } from './agent-schema.ts'
import { presentAgent } from './present-agent.ts'
import { catalogOf } from './read-agent.ts'
import { refuseUnavailable } from './refuse-unavailable.ts'
import { withoutLegacyFields } from './to-agent-input.ts'

const TextPart = Type.Object({ type: Type.Literal('text'), text: Type.String() }, { additionalProperties: true })

const InitialMessage = Type.Object({
  type: Type.Optional(Nullable(Type.Literal('message'))),
  role: StringEnum(['user', 'system', 'assistant']),
  content: Type.Union([Type.String(), Type.Array(TextPart)]),
  name: Type.Optional(Nullable(Type.String())),
  otid: Type.Optional(Nullable(Type.String())),
  sender_id: Type.Optional(Nullable(Type.String())),
  group_id: Type.Optional(Nullable(Type.String())),
})

const MemoryVariables = Type.Unsafe<Record<string, string>>({
  type: 'object',
  additionalProperties: { type: 'string' },
  description: 'What goes into the values of memory_blocks for {{name}}',
})

const Body = Type.Object({
  ...agentFields,
  agent_type: Type.Optional(Nullable(AgentTypeSchema)),
  memory_blocks: Type.Optional(Nullable(Type.Array(CreateBlockSchema))),
  tools: Type.Optional(Nullable(Type.Array(Type.String(), { description: 'Names of tools' }))),
  include_base_tools: Type.Optional(
    Nullable(Type.Boolean({ description: 'Memory and search tools; true by default' })),
  ),
  include_base_tool_rules: Type.Optional(Nullable(Type.Boolean())),
  include_multi_agent_tools: Type.Optional(Nullable(Type.Boolean())),
  include_default_source: Type.Optional(Nullable(Type.Boolean())),
  initial_message_sequence: Type.Optional(Nullable(Type.Array(InitialMessage))),
  memory_variables: Type.Optional(Nullable(MemoryVariables)),
  from_template: Type.Optional(Nullable(Type.String())),
  project: Type.Optional(
    Nullable(Type.String({ deprecated: true, description: 'Slug; the header X-Project has it now' })),
  ),
  enable_reasoner: Type.Optional(Nullable(Type.Boolean({ deprecated: true, description: 'Older name of reasoning' }))),
})

export function createAgent(app: App, context: Context): void {
  app.post(
    '/v1/agents',
    {
      config: { permission: 'agents:write' },
      schema: {
        operationId: 'create_agent',
        tags: ['agents'],
        summary: 'Create an agent with its memory blocks, tools, tags and default conversation',
        headers: ProjectHeaders,
        body: Body,
        response: { 200: AgentSchema },
      },
    },
    async ({ actor, body }) => {
      refuseUnavailable(body)
      const { db, models, config, secrets } = context
      const deps = {
        db,
        models,
        secrets,
        defaultModel: config.defaultModel,
        defaultEmbedding: config.defaultEmbedding,
        maxContextWindow: config.globalMaxContextWindow,
      }
      const project = body.project ? await getProject(db, actor.organizationId, body.project) : undefined
      const input = { ...withoutLegacyFields(body), project_id: body.project_id ?? project?.id }
      const agent = await domain.createAgent(deps, actor, input)
      return presentAgent(agent, await catalogOf(context, actor.organizationId))
    },
  )
}
