import { type Queryable, statement } from '#store/db.ts'
import { type ToolRow, toolColumns } from '#store/tools/tool-row.ts'
import { type McpServerRow, mcpServerColumns } from './mcp-server-row.ts'

/** A tool that stands in the way of names, or belongs to the server in question. */
export interface NamedTool {
  id: string
  name: string
  is_own: boolean
  metadata: Record<string, unknown> | null
}

const LIST_NAMED_TOOLS = statement(
  'list-mcp-named-tools',
  `select t.id, t.name, t.mcp_server_id is not distinct from $2 as is_own, t.metadata from tools as t
   where t.organization_id = $1 and (t.mcp_server_id = $2 or t.name = any($3::text[]))
   order by t.name`,
)

/** The tools of a server, and whatever has one of the names. */
export function listNamedTools(
  db: Queryable,
  organizationId: string,
  serverId: string,
  names: readonly string[],
): Promise<NamedTool[]> {
  return db.query<NamedTool>(LIST_NAMED_TOOLS, [organizationId, serverId, names])
}

/** A tool of an MCP server as it is to be stored. */
export interface McpToolToStore {
  id: string
  name: string
  description: string
  json_schema: Record<string, unknown>
  tags: readonly string[]
  metadata: Record<string, unknown>
}

// One statement for all. How people use a tool here (limits, approvals) stays; rows that are the same are not touched.
const WRITE_MCP_TOOLS = statement(
  'write-mcp-tools',
  `with gone as (
     delete from tools as t
     where t.organization_id = $1 and t.mcp_server_id = $2 and not t.id = any($4::text[])
       and $6::boolean
     returning t.name
   ), written as (
     insert into tools as t (organization_id, id, mcp_server_id, tool_type, source_type, name, description, json_schema, tags, metadata,
       created_by_id, last_updated_by_id, created_at)
     select $1, n.id, $2, 'external_mcp', 'json', n.name, n.description, n.json_schema, n.tags, n.metadata, $5, $5, clock_timestamp()
     from jsonb_to_recordset($3::jsonb) as n (id text, name text, description text, json_schema jsonb, tags text[], metadata jsonb)
     order by n.name
     on conflict (organization_id, id) do update set description = excluded.description, json_schema = excluded.json_schema,
       tags = excluded.tags, metadata = coalesce(t.metadata, '{}') || excluded.metadata, last_updated_by_id = excluded.last_updated_by_id,
       updated_at = now()
     where (t.description, t.json_schema, t.tags, t.metadata) is distinct from
       (excluded.description, excluded.json_schema, excluded.tags, coalesce(t.metadata, '{}') || excluded.metadata)
     returning t.name, t.xmax = 0 as is_new
   )
   select name, 'deleted' as change from gone
   union all select name, case when is_new then 'added' else 'updated' end from written
   order by 1`,
)

/**
 * Stores these tools of a server, and with `removesOthers` deletes its others, from agents too. Gives what changed, by name. Throws a
 * unique violation when another tool has taken a name meanwhile.
 */
export function writeMcpTools(
  db: Queryable,
  organizationId: string,
  serverId: string,
  tools: readonly McpToolToStore[],
  { userId, removesOthers, keptIds }: { userId: string; removesOthers: boolean; keptIds: readonly string[] },
): Promise<{ name: string; change: 'added' | 'updated' | 'deleted' }[]> {
  const parameters = [organizationId, serverId, JSON.stringify(tools), keptIds, userId, removesOthers]
  return db.query(WRITE_MCP_TOOLS, parameters)
}

const RENAME_SERVER_OF_TOOLS = statement(
  'rename-server-of-mcp-tools',
  `update tools as t set tags = array[$4::text] || array_remove(t.tags, $5),
     metadata = jsonb_set(t.metadata, '{mcp,server_name}', to_jsonb($3::text)), updated_at = now()
   where t.organization_id = $1 and t.mcp_server_id = $2 and t.metadata -> 'mcp' is not null`,
)

/** Tells the tools of a server its new name; what they are called themselves stays. */
export async function renameServerOfMcpTools(
  db: Queryable,
  organizationId: string,
  serverId: string,
  names: { name: string; tag: string; oldTag: string },
): Promise<void> {
  await db.query(RENAME_SERVER_OF_TOOLS, [organizationId, serverId, names.name, names.tag, names.oldTag])
}

const FIND_MCP_TOOL = statement(
  'find-mcp-tool-with-server',
  `select ${mcpServerColumns('s')}, t.name as tool_name, t.metadata as tool_metadata from tools as t
   join mcp_servers as s on s.organization_id = t.organization_id and s.id = t.mcp_server_id
   where t.organization_id = $1 and t.id = $2`,
)

/** The server of a tool, and what the tool is called; undefined when the tool has none. */
export async function findServerOfMcpTool(
  db: Queryable,
  organizationId: string,
  toolId: string,
): Promise<(McpServerRow & { tool_name: string; tool_metadata: Record<string, unknown> | null }) | undefined> {
  const [row] = await db.query<McpServerRow & { tool_name: string; tool_metadata: Record<string, unknown> | null }>(
    FIND_MCP_TOOL,
    [organizationId, toolId],
  )
  return row
}

const FIND_MCP_TOOL_BY_REMOTE_NAME = statement(
  'find-mcp-tool-by-remote-name',
  `select ${toolColumns('t')} from tools as t
   where t.organization_id = $1 and t.mcp_server_id = $2
     and (t.metadata #>> '{mcp,tool_name}' = $3 or t.name = $3)
   order by (t.metadata #>> '{mcp,tool_name}' = $3) desc nulls last limit 1`,
)

/** A stored tool by what its server calls it, or by its name here. */
export async function findToolByRemoteName(
  db: Queryable,
  organizationId: string,
  serverId: string,
  remoteName: string,
): Promise<ToolRow | undefined> {
  const [row] = await db.query<ToolRow>(FIND_MCP_TOOL_BY_REMOTE_NAME, [organizationId, serverId, remoteName])
  return row
}

const SAVE_SYNC = statement(
  'save-mcp-sync',
  `update mcp_servers as s set last_error = $3, last_synced_at = case when $3::text is null then now() else s.last_synced_at end
   where s.organization_id = $1 and s.id = $2 and ($3::text is null or s.last_error is distinct from $3)`,
)

/** Keeps what came of asking a server for its tools; null for no error. */
export async function saveMcpSync(
  db: Queryable,
  organizationId: string,
  serverId: string,
  error: string | null,
): Promise<void> {
  await db.query(SAVE_SYNC, [organizationId, serverId, error])
}
