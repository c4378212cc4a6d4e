import { isDeepStrictEqual } from 'node:util'
import { invalidArgument, notFound } from '#platform/errors.ts'
import { isUniqueViolation } from '#store/database-error.ts'
import type { Db } from '#store/db.ts'
import { renameToolInRules } from '#store/tools/rename-tool-in-rules.ts'
import type { ToolRow } from '#store/tools/tool-row.ts'
import { lockTool, type ToolAuthor, updateTool } from '#store/tools/tool-writer.ts'
import {
  checkUse,
  DEFAULT_RETURN_CHAR_LIMIT,
  distinct,
  type NewToolInput,
  nameTaken,
  toRequirements,
} from './create-tool.ts'
import { isCustomTool } from './custom-tools.ts'
import { deriveToolSchema, listSourceFunctions } from './schema/derive-tool-schema.ts'

/** What to change: undefined leaves a field as it is, null clears it. */
export type ToolChange = { [Field in keyof NewToolInput]?: NewToolInput[Field] | null | undefined }

/** What can be set of a tool of the server: how it is used here, not what it is. */
const SETTINGS_OF_BUILTIN = ['return_char_limit', 'default_requires_approval', 'enable_parallel_execution', 'metadata']

/**
 * Changes a tool. A new source gives a new schema, and with it maybe a new name, unless a schema comes along; rules of agents follow
 * the name. Throws not_found; invalid_argument where no schema can be had, and for what a tool of the server is; conflict where
 * another tool has the name.
 */
export async function modifyTool(db: Db, author: ToolAuthor, toolId: string, change: ToolChange): Promise<ToolRow> {
  const { organizationId } = author
  checkUse({
    metadata: change.metadata ?? null,
    pip_requirements: change.pip_requirements ?? null,
    npm_requirements: change.npm_requirements ?? null,
  })
  let name = ''
  try {
    return await db.transaction(async (tx) => {
      const tool = await lockTool(tx, organizationId, toolId)
      if (tool === undefined) throw toolNotFound(toolId)
      if (tool.tool_type !== 'custom') refuseRedefinition(tool, change)
      const wanted = await applyChange(tool, change)
      name = wanted.name
      if (wanted.name !== tool.name) {
        await renameToolInRules(tx, organizationId, toolId, (rule) => renameInRule(rule, tool.name, wanted.name))
      }
      const written = await updateTool(tx, author, toolId, wanted)
      if (written === undefined) throw toolNotFound(toolId)
      return written
    })
  } catch (error) {
    if (!isUniqueViolation(error)) throw error
    throw nameTaken(name, 'Another tool has it.')
  }
}

export const toolNotFound = (toolId: string) => notFound(`Tool ${toolId} was not found.`)

function refuseRedefinition(tool: ToolRow, change: ToolChange): void {
  const refused = Object.entries(change).find(
    ([field, value]) =>
      value !== undefined &&
      !SETTINGS_OF_BUILTIN.includes(field) &&
      !isDeepStrictEqual(value, tool[field as keyof ToolRow]),
  )
  if (refused === undefined) return
  const owner = isCustomTool(tool.tool_type) ? 'comes from an MCP server' : 'comes with the server'
  throw invalidArgument(
    `INVALID_ARGUMENT: \`${tool.name}\` ${owner}, so its ${refused[0]} cannot be changed; ${SETTINGS_OF_BUILTIN.join(', ')} can. Make a tool of your own for anything else.`,
  )
}

async function applyChange(tool: ToolRow, change: ToolChange): Promise<Omit<ToolRow, 'id'>> {
  const source_type = change.source_type ?? tool.source_type
  const source_code = change.source_code ?? tool.source_code
  const args_json_schema = kept(change.args_json_schema, tool.args_json_schema)
  const json_schema = await schemaOf(tool, { ...change, source_type, source_code, args_json_schema })
  const name = json_schema.name as string
  const derived = (json_schema.description as string | undefined) ?? null
  // a description that only repeated the schema's goes on doing so
  const described = tool.description === tool.json_schema.description ? derived : tool.description
  return {
    ...tool,
    name,
    source_type,
    source_code,
    args_json_schema,
    json_schema,
    description: change.description === undefined ? described : (change.description ?? derived),
    tags: change.tags === undefined ? tool.tags : distinct(change.tags ?? []),
    return_char_limit:
      change.return_char_limit === null
        ? DEFAULT_RETURN_CHAR_LIMIT
        : (change.return_char_limit ?? tool.return_char_limit),
    pip_requirements:
      change.pip_requirements === undefined ? tool.pip_requirements : toRequirements(change.pip_requirements),
    npm_requirements:
      change.npm_requirements === undefined ? tool.npm_requirements : toRequirements(change.npm_requirements),
    default_requires_approval: kept(change.default_requires_approval, tool.default_requires_approval),
    enable_parallel_execution: kept(change.enable_parallel_execution, tool.enable_parallel_execution) ?? false,
    metadata: kept(change.metadata, tool.metadata),
  }
}

type ChangedSource = ToolChange & Pick<ToolRow, 'source_type' | 'source_code' | 'args_json_schema'>

/** The schema that was given; else one of the source, where that is another now or null asks for it; else the one there is. */
async function schemaOf(tool: ToolRow, changed: ChangedSource): Promise<Record<string, unknown>> {
  const { source_type, source_code, args_json_schema, json_schema } = changed
  const isSame =
    source_code === tool.source_code &&
    source_type === tool.source_type &&
    isDeepStrictEqual(args_json_schema, tool.args_json_schema)
  if (json_schema === undefined && isSame) return tool.json_schema
  const sourceType = source_type ?? 'python'
  const sourceCode = source_code ?? ''
  const schema = await deriveToolSchema({
    sourceType,
    sourceCode,
    jsonSchema: json_schema,
    argsJsonSchema: args_json_schema,
    description: changed.description,
  })
  if (json_schema != null && schema.name !== tool.name && sourceType !== 'json') {
    await checkFunctionExists(sourceType, sourceCode, schema.name)
  }
  return { ...schema }
}

async function checkFunctionExists(sourceType: string, sourceCode: string, name: string): Promise<void> {
  const functions = await listSourceFunctions(sourceType, sourceCode)
  if (functions.includes(name)) return
  throw invalidArgument(
    `INVALID_ARGUMENT: json_schema names the tool '${name}', but the source has no function of this name, only: ${functions.join(', ') || 'none'}. Send source_code with it, or keep the name.`,
  )
}

/** A tool rule with one name in place of another, wherever it stands for a tool. */
function renameInRule(rule: Record<string, unknown>, from: string, to: string): Record<string, unknown> {
  const renamed = (name: unknown) => (name === from ? to : name)
  const { tool_name, children, child_output_mapping, default_child, child_arg_nodes } = rule
  return {
    ...rule,
    tool_name: renamed(tool_name),
    ...(Array.isArray(children) && { children: children.map(renamed) }),
    ...(isObject(child_output_mapping) && {
      child_output_mapping: Object.fromEntries(
        Object.entries(child_output_mapping).map(([output, name]) => [output, renamed(name)]),
      ),
    }),
    ...(default_child !== undefined && { default_child: renamed(default_child) }),
    ...(Array.isArray(child_arg_nodes) && {
      child_arg_nodes: child_arg_nodes.map((node) => (isObject(node) ? { ...node, name: renamed(node.name) } : node)),
    }),
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

const kept = <Value>(wanted: Value | undefined, current: Value): Value => (wanted === undefined ? current : wanted)
