import Type from 'typebox'
import * as domain from '#agent/create-agent.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { CreateBlockSchema } from '#http/v1/blocks/block-schema.ts'
import { Nullable, StringEnum } from '#http/wire/nullable.ts'
import { AgentSchema, AgentTypeSchema, agentFields } from './agent-schema.ts'
import { presentAgent } from './present-agent.ts'
import { catalogOf } from './read-agent.ts'
import { refuseUnavailable } from './refuse-unavailable.ts'
import { withoutLegacyFields } from './to-agent-input.ts'

const TextPart = Type.Object({ type: Type.Literal('text'), text: Type.String() }, { additionalProperties: true })

const InitialMessage = Type.Object({
  role: StringEnum(['user', 'system', 'assistant']),
  content: Type.Union([Type.String(), Type.Array(TextPart)]),
  name: Type.Optional(Nullable(Type.String())),
  otid: Type.Optional(Nullable(Type.String())),
  sender_id: Type.Optional(Nullable(Type.String())),
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
      const agent = await domain.createAgent(deps, actor, withoutLegacyFields(body))
      return presentAgent(agent, await catalogOf(context, actor.organizationId))
    },
  )
}
