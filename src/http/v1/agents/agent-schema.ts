import Type, { type Static } from 'typebox'
import { AGENT_TYPES } from '#agent/base-tools.ts'
import { TOOL_RULE_TYPES } from '#agent/normalize-tool-rules.ts'
import { BlockSchema } from '#http/v1/blocks/block-schema.ts'
import { GroupSchema } from '#http/v1/groups/group-schema.ts'
import { IdentitySchema } from '#http/v1/identities/identity-schema.ts'
import { ToolSchema } from '#http/v1/tools/tool-schema.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { AnyObject, Nullable, StringEnum, Timestamp } from '#http/wire/nullable.ts'
import { CompactionSettingsSchema, CompactionSettingsWire } from './compaction-schema.ts'
import { ModelSettingsSchema, ResponseFormatSchema } from './model-settings-schema.ts'

export const AgentId = Type.Object({ agent_id: IdSchema('agent') })

const NullableString = Nullable(Type.String())
const NullableInteger = Nullable(Type.Integer())
const NullableObject = Nullable(AnyObject)

/** Deprecated by `model` and `model_settings`, but read by many clients. */
const LlmConfigSchema = Type.Object({
  model: Type.String(),
  display_name: NullableString,
  model_endpoint_type: Type.String(),
  model_endpoint: NullableString,
  provider_name: NullableString,
  provider_category: NullableString,
  model_wrapper: NullableString,
  context_window: Type.Integer({ description: 'Tokens that the agent may fill' }),
  put_inner_thoughts_in_kwargs: Nullable(Type.Boolean()),
  handle: NullableString,
  temperature: Type.Number(),
  max_tokens: NullableInteger,
  enable_reasoner: Type.Boolean(),
  reasoning_effort: NullableString,
  max_reasoning_tokens: Type.Integer(),
  effort: NullableString,
  frequency_penalty: Nullable(Type.Number()),
  compatibility_type: NullableString,
  verbosity: NullableString,
  tier: NullableString,
  parallel_tool_calls: Nullable(Type.Boolean()),
  response_format: NullableObject,
  strict: Type.Boolean(),
  return_logprobs: Type.Boolean(),
  top_logprobs: NullableInteger,
  return_token_ids: Type.Boolean(),
  tool_call_parser: NullableString,
})
export type LlmConfigWire = Static<typeof LlmConfigSchema>

export const EmbeddingConfigSchema = Type.Object({
  embedding_endpoint_type: Type.String(),
  embedding_endpoint: NullableString,
  embedding_model: Type.String(),
  embedding_dim: Type.Integer(),
  embedding_chunk_size: NullableInteger,
  handle: NullableString,
  batch_size: Type.Integer(),
  azure_endpoint: NullableString,
  azure_version: NullableString,
  azure_deployment: NullableString,
})
export type EmbeddingConfigWire = Static<typeof EmbeddingConfigSchema>

export const MemorySchema = Type.Object({
  agent_type: NullableString,
  git_enabled: Type.Boolean(),
  blocks: Type.Array(BlockSchema),
  file_blocks: Type.Array(AnyObject),
  prompt_template: Type.String(),
})

/** A secret as sent. `value` is a mask where there is one, and empty where there is none: V1 told the secret itself. */
const AgentSecretSchema = Type.Object({
  id: Type.String(),
  agent_id: Type.String(),
  key: Type.String(),
  value: Type.String({ description: 'Stars; a secret that was stored is never told' }),
  description: Type.Null(),
  created_by_id: NullableString,
  last_updated_by_id: NullableString,
  created_at: Timestamp,
  updated_at: Timestamp,
})
export type AgentSecretWire = Static<typeof AgentSecretSchema>

/** An agent as sent. Relations that were not asked for are there, and empty. */
export const AgentSchema = Type.Object({
  created_by_id: NullableString,
  last_updated_by_id: NullableString,
  created_at: Timestamp,
  updated_at: Timestamp,
  id: Type.String(),
  name: Type.String(),
  tool_rules: Type.Array(AnyObject),
  message_ids: Type.Array(Type.String(), {
    description: 'Messages in context of the default conversation: the system message and the newest 499 at most',
  }),
  system: Type.String(),
  agent_type: Type.String(),
  llm_config: LlmConfigSchema,
  embedding_config: Nullable(EmbeddingConfigSchema),
  model: Type.String(),
  embedding: NullableString,
  model_settings: AnyObject,
  compaction_settings: Nullable(CompactionSettingsWire),
  response_format: NullableObject,
  description: NullableString,
  metadata: NullableObject,
  memory: MemorySchema,
  blocks: Type.Array(BlockSchema),
  tools: Type.Array(ToolSchema),
  sources: Type.Array(AnyObject),
  tags: Type.Array(Type.String()),
  tool_exec_environment_variables: Type.Array(AgentSecretSchema),
  secrets: Type.Array(AgentSecretSchema),
  project_id: NullableString,
  template_id: NullableString,
  base_template_id: NullableString,
  deployment_id: NullableString,
  entity_id: NullableString,
  identity_ids: Type.Array(Type.String()),
  identities: Type.Array(IdentitySchema),
  pending_approval: NullableObject,
  message_buffer_autoclear: Type.Boolean(),
  enable_sleeptime: Nullable(Type.Boolean()),
  multi_agent_group: Nullable(GroupSchema),
  managed_group: Nullable(GroupSchema),
  last_run_completion: Nullable(Timestamp),
  last_run_duration_ms: NullableInteger,
  last_stop_reason: NullableString,
  timezone: Type.String(),
  max_files_open: NullableInteger,
  per_file_view_window_char_limit: NullableInteger,
  hidden: Nullable(Type.Boolean()),
})
export type AgentWire = Static<typeof AgentSchema>

const optional = <Schema extends Type.TSchema>(schema: Schema) => Type.Optional(Nullable(schema))

const Names = Type.Array(Type.String({ minLength: 1 }))

/** What each type of rule needs is checked where the rules are read, `agent/normalize-tool-rules.ts`. */
const ToolRuleSchema = Type.Object(
  {
    tool_name: Type.String({ minLength: 1 }),
    type: StringEnum(TOOL_RULE_TYPES),
    prompt_template: optional(Type.String()),
    children: optional(Names),
    child_arg_nodes: optional(
      Type.Array(Type.Object({ name: Type.String(), args: optional(AnyObject) }), {
        description: 'Arguments that calls of the children get',
      }),
    ),
    args: optional(AnyObject),
    default_child: optional(Type.String()),
    child_output_mapping: optional(
      Type.Unsafe<Record<string, string>>({
        type: 'object',
        additionalProperties: { type: 'string' },
        description: 'Which tool follows which output',
      }),
    ),
    require_output_mapping: optional(Type.Boolean()),
    max_count_limit: optional(Type.Integer({ minimum: 0 })),
  },
  { additionalProperties: true },
)

const SecretValuesSchema = Type.Unsafe<Record<string, string>>({
  type: 'object',
  additionalProperties: { type: 'string' },
  description:
    'Environment variables of tools: all of them, by name. The mask that the server shows leaves a value as it is',
})

const Tag = Type.String({ minLength: 1, maxLength: 500 })
const INT32_MAX = 2_147_483_647

/** Fields that are the same when an agent is made and when it is changed. */
export const agentFields = {
  name: optional(Type.String({ minLength: 1, description: "Letters, digits, spaces, '_', '-' and apostrophes" })),
  description: optional(Type.String()),
  system: optional(Type.String({ description: 'Instructions; {CORE_MEMORY} in them is where memory goes' })),
  model: optional(Type.String({ description: 'Handle provider/model' })),
  embedding: optional(Type.String({ description: 'Handle provider/model' })),
  model_settings: optional(ModelSettingsSchema),
  context_window_limit: optional(Type.Integer({ minimum: 1, maximum: INT32_MAX, description: 'Tokens' })),
  compaction_settings: optional(CompactionSettingsSchema),
  response_format: optional(ResponseFormatSchema),
  block_ids: optional(Type.Array(IdSchema('block'))),
  tool_ids: optional(Type.Array(IdSchema('tool'))),
  folder_ids: optional(Type.Array(IdSchema('source'))),
  source_ids: optional(Type.Array(IdSchema('source', 'The older name of folder_ids'))),
  tool_rules: optional(Type.Array(ToolRuleSchema)),
  tags: optional(Type.Array(Tag)),
  metadata: optional(AnyObject),
  timezone: optional(Type.String({ description: 'Name of the IANA database, such as Europe/Berlin' })),
  message_buffer_autoclear: optional(Type.Boolean()),
  enable_sleeptime: optional(Type.Boolean()),
  max_files_open: optional(Type.Integer({ minimum: 0, maximum: 1000 })),
  per_file_view_window_char_limit: optional(Type.Integer({ minimum: 0, maximum: INT32_MAX })),
  hidden: optional(Type.Boolean()),
  project_id: optional(Type.String()),
  template_id: optional(Type.String()),
  base_template_id: optional(Type.String()),
  // what older clients send instead of model, embedding and model_settings
  llm_config: optional(AnyObject),
  embedding_config: optional(AnyObject),
  max_tokens: optional(Type.Integer({ minimum: 1 })),
  reasoning: optional(Type.Boolean()),
  max_reasoning_tokens: optional(Type.Integer({ minimum: 0 })),
  parallel_tool_calls: optional(Type.Boolean()),
  secrets: optional(SecretValuesSchema),
  tool_exec_environment_variables: optional(SecretValuesSchema),
  identity_ids: optional(Type.Array(IdSchema('identity'))),
}

export const AgentTypeSchema = StringEnum(AGENT_TYPES)

/** Which relations a client wants; `include_relationships` is the older name. */
export const includeParameters = {
  include: Type.Optional(
    Type.Array(
      StringEnum([
        'agent.blocks',
        'agent.identities',
        'agent.managed_group',
        'agent.pending_approval',
        'agent.secrets',
        'agent.sources',
        'agent.tags',
        'agent.tools',
      ]),
      { description: 'Relations to fill in; they are empty otherwise' },
    ),
  ),
  include_relationships: Type.Optional(Type.Array(Type.String())),
}
