import Type, { type Static, type TSchema } from 'typebox'
import { IdSchema } from '#http/wire/ids.ts'
import { AnyObject, Nullable, StringEnum } from '#http/wire/nullable.ts'

export const ToolId = Type.Object({ tool_id: IdSchema('tool') })

/** The wire's `tool_type`; the two dead ones are still valid filters. */
export const TOOL_TYPES = [
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
] as const

const Requirement = Type.Object({ name: Type.String(), version: Nullable(Type.String()) })

/** A tool as sent; the key `metadata_` has its underscore in V1 too. */
export const ToolSchema = Type.Object({
  id: Type.String(),
  tool_type: Type.String(),
  description: Nullable(Type.String()),
  source_type: Nullable(Type.String()),
  name: Nullable(Type.String()),
  tags: Type.Array(Type.String()),
  source_code: Nullable(Type.String()),
  json_schema: Nullable(AnyObject),
  args_json_schema: Nullable(AnyObject),
  return_char_limit: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
  pip_requirements: Nullable(Type.Array(Requirement)),
  npm_requirements: Nullable(Type.Array(Requirement)),
  default_requires_approval: Nullable(Type.Boolean()),
  enable_parallel_execution: Nullable(Type.Boolean()),
  created_by_id: Nullable(Type.String()),
  last_updated_by_id: Nullable(Type.String()),
  metadata_: Nullable(AnyObject),
  project_id: Nullable(Type.String()),
  risk: Type.Object(
    {
      level: StringEnum(['none', 'low', 'medium', 'high']),
      network: StringEnum(['none', 'hosts', 'public', 'default']),
      hosts: Type.Array(Type.String()),
      secrets: Type.Boolean(),
      runs_code: Type.Boolean(),
      host_access: Type.Boolean(),
    },
    { description: 'What the tool can reach, for whoever decides which agent may have it' },
  ),
})
export type ToolWire = Static<typeof ToolSchema>

const List = (description: string) =>
  Type.Optional(Type.Array(Type.String(), { description: `${description}; repeated, or one text with commas` }))

/** Filters that lists and counts of tools share. */
export const toolFilterParameters = {
  name: Type.Optional(Type.String()),
  names: List('Names'),
  tool_ids: List('Ids'),
  search: Type.Optional(Type.String({ description: 'Part of the name, in any case' })),
  tool_types: List('Types'),
  exclude_tool_types: List('Types to leave out'),
  return_only_letta_tools: Type.Boolean({ default: false, description: 'Only tools that come with the server' }),
}

const ToolFilterQuery = Type.Object(toolFilterParameters)
export type ToolFilterQuery = Static<typeof ToolFilterQuery>

const GivenRequirements = Type.Optional(
  Nullable(
    Type.Array(Type.Object({ name: Type.String({ minLength: 1 }), version: Type.Optional(Nullable(Type.String())) })),
  ),
)
const Optional = <Schema extends TSchema>(schema: Schema) => Type.Optional(Nullable(schema))

const givenFields = {
  source_type: Optional(Type.String({ description: 'python, typescript or json; python by default' })),
  description: Optional(Type.String({ description: "The source's words by default" })),
  json_schema: Optional(
    Type.Unsafe<Record<string, unknown>>({
      type: 'object',
      additionalProperties: true,
      description: '`{name, description, parameters}`; read from the source by default',
    }),
  ),
  args_json_schema: Optional(
    Type.Unsafe<Record<string, unknown>>({
      type: 'object',
      additionalProperties: true,
      description: 'JSON Schema of the arguments, where the source has only name and description',
    }),
  ),
  tags: Optional(Type.Array(Type.String({ maxLength: 200 }))),
  return_char_limit: Optional(
    Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'Characters of a result; 50000 by default' }),
  ),
  pip_requirements: GivenRequirements,
  npm_requirements: GivenRequirements,
  default_requires_approval: Optional(
    Type.Boolean({ description: 'Agents that are given the tool need an approval for each call' }),
  ),
  enable_parallel_execution: Optional(Type.Boolean()),
  metadata_: Optional(
    Type.Unsafe<Record<string, unknown>>({
      type: 'object',
      additionalProperties: true,
      description:
        'What people want to keep with it. Two keys are read: `network` ("none", "public" or a list of hosts that the code may connect to), `idempotent` (true: a call that was interrupted is made again)',
    }),
  ),
}

/** What a client sends to make or overwrite a tool. */
export const CreateToolSchema = Type.Object({
  source_code: Type.String({ description: 'A Python function with a docstring, or an exported TypeScript function' }),
  ...givenFields,
})

/** What a client sends to change a tool: a field that is left out stays, an explicit null clears it. */
export const UpdateToolSchema = Type.Object({
  source_code: Optional(Type.String()),
  ...givenFields,
})

/** The arguments of a call. */
export const ToolArguments = Type.Object({ args: Type.Optional(Nullable(AnyObject)) })

/** What running a tool by hand gives. `agent_state` is always null, as in V1. */
export const ToolExecutionResult = Type.Object({
  status: StringEnum(['success', 'error']),
  func_return: Nullable(Type.String()),
  agent_state: Type.Null(),
  stdout: Nullable(Type.Array(Type.String())),
  stderr: Nullable(Type.Array(Type.String())),
  sandbox_config_fingerprint: Type.Null(),
})
