import { type Queryable, statement } from '#store/db.ts'
import { type ToolRow, toolColumns } from './tool-row.ts'

/** What people set of a tool. */
export interface ToolFields {
  name: string
  description: string | null
  source_type: string
  source_code: string | null
  json_schema: Record<string, unknown>
  args_json_schema: Record<string, unknown> | null
  tags: readonly string[]
  return_char_limit: number
  pip_requirements: ToolRow['pip_requirements']
  npm_requirements: ToolRow['npm_requirements']
  default_requires_approval: boolean | null
  enable_parallel_execution: boolean
  metadata: Record<string, unknown> | null
}

const GIVEN = (
  parameter: string,
) => `jsonb_to_record(${parameter}::jsonb) as n (name text, description text, source_type text,
    source_code text, json_schema jsonb, args_json_schema jsonb, tags text[], return_char_limit integer, pip_requirements jsonb,
    npm_requirements jsonb, default_requires_approval boolean, enable_parallel_execution boolean, metadata jsonb)`

/** What stays as it is when a tool is overwritten by a request that does not name it. */
const KEPT = [
  'tags',
  'return_char_limit',
  'pip_requirements',
  'npm_requirements',
  'default_requires_approval',
  'enable_parallel_execution',
  'metadata',
]
const keepUnlessNamed = (column: string) =>
  `${column} = case when '${column}' = any($6::text[]) then excluded.${column} else t.${column} end`

// One statement, so that two requests with one name make one tool. Nothing is returned where the name belongs to a tool that is
// not a person's own.
const UPSERT_CUSTOM_TOOL = statement(
  'upsert-custom-tool',
  `insert into tools as t (organization_id, id, project_id, tool_type, name, description, source_type, source_code, json_schema,
    args_json_schema, tags, return_char_limit, pip_requirements, npm_requirements, default_requires_approval,
    enable_parallel_execution, metadata, created_by_id, last_updated_by_id, created_at)
  select $1, $2, $3, 'custom', n.name, n.description, n.source_type, n.source_code, n.json_schema, n.args_json_schema, n.tags,
    n.return_char_limit, n.pip_requirements, n.npm_requirements, n.default_requires_approval, n.enable_parallel_execution,
    n.metadata, $5, $5, clock_timestamp()
  from ${GIVEN('$4')}
  on conflict (organization_id, name) do update set description = excluded.description, source_type = excluded.source_type,
    source_code = excluded.source_code, json_schema = excluded.json_schema,
    args_json_schema = excluded.args_json_schema, ${KEPT.map(keepUnlessNamed).join(', ')},
    last_updated_by_id = excluded.last_updated_by_id, updated_at = now()
  where t.tool_type = 'custom'
  returning ${toolColumns('t')}`,
)

/** Who writes, and for which project. */
export interface ToolAuthor {
  organizationId: string
  userId: string
  projectId: string | null
}

/**
 * Makes the tool, or overwrites the custom tool of this name, which keeps its id and whatever is not in `named`. Undefined when
 * the name belongs to a tool of the server or of an MCP server.
 */
export async function upsertCustomTool(
  db: Queryable,
  author: ToolAuthor,
  newId: string,
  tool: ToolFields,
  named: readonly string[],
): Promise<ToolRow | undefined> {
  const { organizationId, projectId, userId } = author
  const parameters = [organizationId, newId, projectId, JSON.stringify(tool), userId, named]
  const [row] = await db.query<ToolRow>(UPSERT_CUSTOM_TOOL, parameters)
  return row
}

const LOCK_TOOL = statement(
  'lock-tool',
  `select ${toolColumns('t')} from tools as t where t.organization_id = $1 and t.id = $2 for no key update`,
)

/** The row, which nobody else changes before the transaction ends; agents can be given the tool meanwhile. */
export async function lockTool(tx: Queryable, organizationId: string, id: string): Promise<ToolRow | undefined> {
  const [row] = await tx.query<ToolRow>(LOCK_TOOL, [organizationId, id])
  return row
}

const UPDATE_TOOL = statement(
  'update-tool',
  `update tools as t set name = n.name, description = n.description, source_type = n.source_type, source_code = n.source_code,
    json_schema = n.json_schema, args_json_schema = n.args_json_schema, tags = n.tags, return_char_limit = n.return_char_limit,
    pip_requirements = n.pip_requirements, npm_requirements = n.npm_requirements,
    default_requires_approval = n.default_requires_approval, enable_parallel_execution = n.enable_parallel_execution,
    metadata = n.metadata, last_updated_by_id = $4, updated_at = now()
  from ${GIVEN('$3')}
  where t.organization_id = $1 and t.id = $2
  returning ${toolColumns('t')}`,
)

/** Writes the tool as given. Throws a unique violation when another tool has the name. */
export async function updateTool(
  db: Queryable,
  author: ToolAuthor,
  id: string,
  tool: Omit<ToolFields, 'source_type'> & { source_type: string | null },
): Promise<ToolRow | undefined> {
  const [row] = await db.query<ToolRow>(UPDATE_TOOL, [author.organizationId, id, JSON.stringify(tool), author.userId])
  return row
}

const DELETE_TOOL = statement(
  'delete-tool',
  'delete from tools as t where t.organization_id = $1 and t.id = $2 returning t.id',
)

/** Deletes the tool, from all agents too. False when there is none. */
export async function deleteTool(db: Queryable, organizationId: string, id: string): Promise<boolean> {
  const rows = await db.query(DELETE_TOOL, [organizationId, id])
  return rows.length > 0
}
