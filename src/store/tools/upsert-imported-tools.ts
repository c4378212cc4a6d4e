import { type Queryable, statement } from '#store/db.ts'
import type { ToolRow } from './tool-row.ts'

/** A tool that an agent file brings. */
export type ToolToImport = Omit<
  ToolRow,
  'project_id' | 'mcp_server_type' | 'created_by_id' | 'last_updated_by_id' | 'created_at' | 'updated_at'
>

/** Types of tools that belong to people, and that a file may replace. */
const OWN = `('custom', 'external_mcp')`

// rows are locked in the order of names, so that two imports do not deadlock; what the server brings is never replaced
const UPSERT_IMPORTED_TOOLS = statement(
  'upsert-imported-tools',
  `insert into tools as t (organization_id, id, name, tool_type, description, source_type, source_code, json_schema,
    args_json_schema, tags, return_char_limit, pip_requirements, npm_requirements, default_requires_approval,
    enable_parallel_execution, metadata, created_by_id, last_updated_by_id, created_at)
  select $1, n.id, n.name, n.tool_type, n.description, n.source_type, n.source_code, n.json_schema, n.args_json_schema, n.tags,
    n.return_char_limit, n.pip_requirements, n.npm_requirements, n.default_requires_approval, n.enable_parallel_execution,
    n.metadata, $3, $3, clock_timestamp()
  from jsonb_to_recordset($2::jsonb) as n (id text, name text, tool_type text, description text, source_type text,
    source_code text, json_schema jsonb, args_json_schema jsonb, tags text[], return_char_limit integer, pip_requirements jsonb,
    npm_requirements jsonb, default_requires_approval boolean, enable_parallel_execution boolean, metadata jsonb)
  order by n.name
  on conflict (organization_id, name) do update set tool_type = excluded.tool_type, description = excluded.description,
    source_type = excluded.source_type, source_code = excluded.source_code, json_schema = excluded.json_schema,
    args_json_schema = excluded.args_json_schema, tags = excluded.tags, return_char_limit = excluded.return_char_limit,
    pip_requirements = excluded.pip_requirements, npm_requirements = excluded.npm_requirements,
    default_requires_approval = excluded.default_requires_approval,
    enable_parallel_execution = excluded.enable_parallel_execution, metadata = excluded.metadata,
    mcp_server_id = case when excluded.tool_type = 'external_mcp' then t.mcp_server_id end,
    last_updated_by_id = excluded.last_updated_by_id, updated_at = now()
  where $4::boolean and t.tool_type in ${OWN} and excluded.tool_type in ${OWN}`,
)

/** Stores the tools that there are not; of those that there are, with `overrides`, the ones that people made. */
export async function upsertImportedTools(
  tx: Queryable,
  organizationId: string,
  tools: readonly ToolToImport[],
  { userId, overrides }: { userId: string; overrides: boolean },
): Promise<void> {
  if (tools.length === 0) return
  await tx.query(UPSERT_IMPORTED_TOOLS, [organizationId, JSON.stringify(tools), userId, overrides])
}
