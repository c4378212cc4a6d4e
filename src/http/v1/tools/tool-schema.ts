import Type, { type Static } from 'typebox'
import { IdSchema } from '#http/wire/ids.ts'
import { AnyObject, Nullable } from '#http/wire/nullable.ts'

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
