import Type, { type Static } from 'typebox'
import { AgentTypeSchema } from '#http/v1/agents/agent-schema.ts'
import { AnyObject, Nullable, StringEnum } from '#http/wire/nullable.ts'

const optional = <Schema extends Type.TSchema>(schema: Schema) => Type.Optional(Nullable(schema))
const Texts = Type.Array(Type.String())
const INT32_MAX = 2_147_483_647
const SmallInteger = Type.Integer({ minimum: 0, maximum: INT32_MAX })

const ToolCall = Type.Object({
  id: Type.String({ minLength: 1 }),
  function: Type.Object({ name: Type.String(), arguments: Type.String() }),
  provider_metadata: optional(AnyObject),
})

const ToolResult = Type.Object({
  tool_call_id: optional(Type.String()),
  status: optional(StringEnum(['success', 'error'])),
  stdout: optional(Texts),
  stderr: optional(Texts),
  func_response: optional(Type.Union([Type.String(), Type.Array(AnyObject)])),
})
export type FileToolResult = Static<typeof ToolResult>

/** An answer to a request for approval: of a person, or the result of a tool of the client's. */
const Approval = Type.Object({
  ...ToolResult.properties,
  approve: optional(Type.Boolean()),
  reason: optional(Type.String()),
})
export type FileApproval = Static<typeof Approval>

/** A message of both formats; the older one has no ids. */
const messageFields = {
  role: StringEnum(['system', 'user', 'assistant', 'tool', 'approval', 'summary']),
  content: optional(Type.Union([Type.String(), Type.Array(AnyObject)])),
  name: optional(Type.String()),
  otid: optional(Type.String()),
  sender_id: optional(Type.String()),
  model: optional(Type.String()),
  tool_calls: optional(Type.Array(ToolCall)),
  tool_call_id: optional(Type.String()),
  tool_returns: optional(Type.Array(ToolResult)),
  approvals: optional(Type.Array(Approval)),
  approve: optional(Type.Boolean()),
  approval_request_id: optional(Type.String()),
  denial_reason: optional(Type.String()),
  created_at: optional(Type.String()),
}
const LegacyMessage = Type.Object(messageFields)
const FileMessage = Type.Object({ ...messageFields, id: Type.String() })
export type FileMessage = Static<typeof LegacyMessage>

/** Fields of a block in both formats. */
const blockFields = {
  label: Type.String(),
  value: Type.String(),
  limit: optional(SmallInteger),
  description: optional(Type.String()),
  read_only: optional(Type.Boolean()),
  metadata: optional(AnyObject),
  metadata_: optional(AnyObject),
  tags: optional(Type.Array(Type.String({ maxLength: 200 }))),
  is_template: optional(Type.Boolean()),
  template_name: optional(Type.String()),
  preserve_on_migration: optional(Type.Boolean()),
  hidden: optional(Type.Boolean()),
}
const LegacyBlock = Type.Object(blockFields)
export type FileBlock = Static<typeof LegacyBlock>

const Requirements = Type.Array(Type.Object({ name: Type.String(), version: optional(Type.String()) }))

const toolFields = {
  name: optional(Type.String()),
  tool_type: optional(
    StringEnum([
      'custom',
      'letta_core',
      'letta_memory_core',
      'letta_multi_agent_core',
      'letta_sleeptime_core',
      'letta_voice_sleeptime_core',
      'letta_builtin',
      'letta_files_core',
      'external_langchain',
      'external_composio',
      'external_mcp',
    ]),
  ),
  description: optional(Type.String()),
  source_type: optional(Type.String()),
  source_code: optional(Type.String()),
  json_schema: optional(AnyObject),
  args_json_schema: optional(AnyObject),
  tags: optional(Texts),
  return_char_limit: optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
  pip_requirements: optional(Requirements),
  npm_requirements: optional(Requirements),
  default_requires_approval: optional(Type.Boolean()),
  enable_parallel_execution: optional(Type.Boolean()),
  metadata_: optional(AnyObject),
}
const LegacyTool = Type.Object(toolFields)
export type FileTool = Static<typeof LegacyTool>

const SecretValues = Type.Unsafe<Record<string, string>>({ type: 'object', additionalProperties: { type: 'string' } })

/** Fields of an agent in both formats. */
const agentFields = {
  name: optional(Type.String({ minLength: 1 })),
  agent_type: optional(AgentTypeSchema),
  description: optional(Type.String()),
  system: optional(Type.String()),
  llm_config: optional(AnyObject),
  embedding_config: optional(AnyObject),
  tool_rules: optional(Type.Array(AnyObject)),
  tags: optional(Type.Array(Type.String({ minLength: 1, maxLength: 500 }))),
  metadata: optional(AnyObject),
  message_buffer_autoclear: optional(Type.Boolean()),
}

/** What an agent has of a file. */
const FileOfAgent = Type.Object({
  file_id: Type.String(),
  is_open: optional(Type.Boolean()),
  start_line: optional(SmallInteger),
  end_line: optional(SmallInteger),
  last_accessed_at: optional(Type.String()),
})
export type FileOfAgent = Static<typeof FileOfAgent>

const FileSource = Type.Object({
  id: Type.String(),
  name: Type.String(),
  description: optional(Type.String()),
  instructions: optional(Type.String()),
  metadata: optional(AnyObject),
  embedding: optional(Type.String()),
  embedding_config: optional(AnyObject),
})

const FileOfSource = Type.Object({
  id: Type.String(),
  source_id: optional(Type.String()),
  /** `<source>/<file>`. */
  file_name: optional(Type.String()),
  original_file_name: optional(Type.String()),
  file_type: optional(Type.String()),
  content: optional(Type.String()),
})

const FilePassage = Type.Object({
  text: Type.String(),
  tags: optional(Texts),
  metadata: optional(AnyObject),
  created_at: optional(Type.String()),
})

const FileArchive = Type.Object({
  id: Type.String(),
  name: Type.String(),
  description: optional(Type.String()),
  embedding: optional(Type.String()),
  embedding_config: optional(AnyObject),
  passages: optional(Type.Array(FilePassage)),
})
export type FileArchive = Static<typeof FileArchive>

const CurrentAgent = Type.Object({
  ...agentFields,
  id: Type.String(),
  memory_blocks: optional(Type.Array(LegacyBlock)),
  tools: optional(Texts),
  tool_ids: optional(Texts),
  block_ids: optional(Texts),
  source_ids: optional(Texts),
  folder_ids: optional(Texts),
  archive_ids: optional(Type.Array(Type.String(), { maxItems: 1 })),
  identity_ids: optional(Texts),
  group_ids: optional(Texts),
  model: optional(Type.String()),
  embedding: optional(Type.String()),
  model_settings: optional(AnyObject),
  compaction_settings: optional(AnyObject),
  context_window_limit: optional(SmallInteger),
  max_tokens: optional(Type.Integer({ minimum: 1, maximum: INT32_MAX })),
  max_reasoning_tokens: optional(SmallInteger),
  reasoning: optional(Type.Boolean()),
  parallel_tool_calls: optional(Type.Boolean()),
  include_base_tools: optional(Type.Boolean()),
  include_base_tool_rules: optional(Type.Boolean()),
  initial_message_sequence: optional(
    Type.Array(
      Type.Object({
        role: StringEnum(['user', 'system', 'assistant']),
        content: Type.Union([
          Type.String(),
          Type.Array(Type.Object({ type: Type.Literal('text'), text: Type.String() })),
        ]),
      }),
    ),
  ),
  tool_exec_environment_variables: optional(SecretValues),
  secrets: optional(SecretValues),
  memory_variables: optional(SecretValues),
  response_format: optional(AnyObject),
  timezone: optional(Type.String()),
  max_files_open: optional(Type.Integer({ minimum: 0, maximum: 1000 })),
  per_file_view_window_char_limit: optional(SmallInteger),
  hidden: optional(Type.Boolean()),
  in_context_message_ids: optional(Texts),
  messages: optional(Type.Array(FileMessage)),
  files_agents: optional(Type.Array(FileOfAgent)),
})
export type CurrentAgent = Static<typeof CurrentAgent>

const WithId = Type.Object({ id: Type.String() }, { additionalProperties: true })

/** Today's format: a file of entities that refer to each other by ids of the file's own. */
export const CurrentFileSchema = Type.Object({
  agents: Type.Array(CurrentAgent, { minItems: 1, maxItems: 100 }),
  blocks: optional(Type.Array(Type.Object({ ...blockFields, id: Type.String() }))),
  tools: optional(Type.Array(Type.Object({ ...toolFields, id: Type.String() }))),
  groups: optional(Type.Array(WithId)),
  sources: optional(Type.Array(FileSource)),
  files: optional(Type.Array(FileOfSource)),
  archives: optional(Type.Array(FileArchive, { maxItems: 100 })),
  mcp_servers: optional(Type.Array(WithId)),
  skills: optional(Type.Array(AnyObject)),
})
export type CurrentFile = Static<typeof CurrentFileSchema>

/** The format before it: one agent, with blocks, tools and messages within. */
export const LegacyFileSchema = Type.Object({
  ...agentFields,
  core_memory: Type.Array(LegacyBlock),
  metadata_: optional(AnyObject),
  messages: optional(Type.Array(LegacyMessage)),
  in_context_message_indices: optional(Type.Array(Type.Integer({ minimum: 0 }))),
  tools: optional(Type.Array(LegacyTool)),
  tool_exec_environment_variables: optional(
    Type.Array(Type.Object({ key: Type.String(), value: optional(Type.String()) })),
  ),
})
export type LegacyFile = Static<typeof LegacyFileSchema>
