import { conflict, type DomainError } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import type { Queryable } from '#store/db.ts'
import type { ToolRow } from '#store/tools/tool-row.ts'
import { type ToolAuthor, type ToolFields, upsertCustomTool } from '#store/tools/tool-writer.ts'
import { toNpmArguments, toPipArguments } from './packages/package-requirement.ts'
import { parseNetworkPolicy } from './sandbox/network-rules.ts'
import { deriveToolSchema } from './schema/derive-tool-schema.ts'

/** Characters of a result that a model reads, unless the tool says otherwise. */
export const DEFAULT_RETURN_CHAR_LIMIT = 50_000

interface Requirement {
  name: string
  version?: string | null
}

/** A tool as people bring it; null is the same as leaving a field out. */
export interface NewToolInput {
  source_code: string
  source_type?: string | null
  description?: string | null
  json_schema?: Record<string, unknown> | null
  args_json_schema?: Record<string, unknown> | null
  tags?: string[] | null
  return_char_limit?: number | null
  pip_requirements?: Requirement[] | null
  npm_requirements?: Requirement[] | null
  default_requires_approval?: boolean | null
  enable_parallel_execution?: boolean | null
  metadata?: Record<string, unknown> | null | undefined
}

/**
 * Makes a tool, or overwrites the organisation's own tool of the same name: it keeps its id, its agents, and what the input leaves out.
 * Throws invalid_argument where no schema can be had, conflict where the name belongs to a tool of the server or of an MCP server.
 */
export async function createTool(db: Queryable, author: ToolAuthor, input: NewToolInput): Promise<ToolRow> {
  const sourceType = input.source_type ?? 'python'
  checkUse(input)
  const schema = await deriveToolSchema({
    sourceType,
    sourceCode: input.source_code,
    jsonSchema: input.json_schema,
    argsJsonSchema: input.args_json_schema,
    description: input.description,
  })
  const tool: ToolFields = {
    name: schema.name,
    description: input.description ?? schema.description ?? null,
    source_type: sourceType,
    source_code: input.source_code,
    json_schema: { ...schema },
    args_json_schema: input.args_json_schema ?? null,
    tags: distinct(input.tags ?? []),
    return_char_limit: input.return_char_limit ?? DEFAULT_RETURN_CHAR_LIMIT,
    pip_requirements: toRequirements(input.pip_requirements),
    npm_requirements: toRequirements(input.npm_requirements),
    default_requires_approval: input.default_requires_approval ?? null,
    enable_parallel_execution: input.enable_parallel_execution ?? false,
    metadata: input.metadata ?? null,
  }
  const row = await upsertCustomTool(db, author, newId('tool'), tool, namedFields(input))
  if (row === undefined) throw nameTaken(tool.name, 'The server itself, or an MCP server, has a tool of this name.')
  return row
}

/** What the code of a tool asks for must be something that can be given. Throws unprocessable. */
export function checkUse({
  metadata,
  pip_requirements,
  npm_requirements,
}: Pick<NewToolInput, 'metadata' | 'pip_requirements' | 'npm_requirements'>): void {
  parseNetworkPolicy(metadata?.network, 'none')
  toPipArguments(toRequirements(pip_requirements) ?? [])
  toNpmArguments(toRequirements(npm_requirements) ?? [])
}

/** What stays with a tool that is overwritten, unless it is named; no tags name nothing, as in V1. */
function namedFields(input: NewToolInput): string[] {
  const given = Object.entries(input).filter(([, value]) => value !== undefined && value !== null)
  return given.flatMap(([field]) => (field === 'tags' && input.tags?.length === 0 ? [] : [field]))
}

export const distinct = (values: readonly string[]): string[] => [...new Set(values)]

export const toRequirements = (given: readonly Requirement[] | null | undefined): ToolRow['pip_requirements'] =>
  given?.map(({ name, version }) => ({ name, version: version ?? null })) ?? null

export const nameTaken = (name: string, reason: string): DomainError =>
  conflict(`CONFLICT: The name '${name}' is taken. ${reason} Choose another name.`, { canRetry: false })
