import { type Queryable, statement } from '#store/db.ts'
import { type McpServerRow, mcpServerColumns } from './mcp-server-row.ts'

/** A server as it is to be stored: what is secret in it is sealed. */
export type McpServerToStore = Omit<
  McpServerRow,
  'last_error' | 'last_synced_at' | 'created_by_id' | 'last_updated_by_id' | 'created_at' | 'updated_at'
>

const GIVEN = `jsonb_to_record($2::jsonb) as n (id text, server_name text, server_type text, server_url text, auth_header text,
    auth_token text, custom_headers jsonb, command text, args text[], env jsonb)`

// clock_timestamp() and not now(), so that servers made in one transaction keep their order
const INSERT_MCP_SERVER = statement(
  'insert-mcp-server',
  `insert into mcp_servers as s (organization_id, id, server_name, server_type, server_url, auth_header, auth_token, custom_headers,
    command, args, env, created_by_id, last_updated_by_id, created_at)
  select $1, n.id, n.server_name, n.server_type, n.server_url, n.auth_header, n.auth_token, n.custom_headers, n.command, n.args,
    n.env, $3, $3, clock_timestamp()
  from ${GIVEN}
  returning ${mcpServerColumns('s')}`,
)

/** Throws a unique violation when the name is taken. */
export async function insertMcpServer(
  db: Queryable,
  organizationId: string,
  server: McpServerToStore,
  userId: string,
): Promise<McpServerRow> {
  const [row] = await db.query<McpServerRow>(INSERT_MCP_SERVER, [organizationId, JSON.stringify(server), userId])
  if (row === undefined) throw new Error('insert-mcp-server returned no row')
  return row
}

const LOCK_MCP_SERVER = statement(
  'lock-mcp-server',
  `select ${mcpServerColumns('s')} from mcp_servers as s where s.organization_id = $1 and s.id = $2 for update`,
)

/** The row, which nobody else changes before the transaction ends. */
export async function lockMcpServer(
  tx: Queryable,
  organizationId: string,
  id: string,
): Promise<McpServerRow | undefined> {
  const [row] = await tx.query<McpServerRow>(LOCK_MCP_SERVER, [organizationId, id])
  return row
}

const UPDATE_MCP_SERVER = statement(
  'update-mcp-server',
  `update mcp_servers as s set server_name = n.server_name, server_type = n.server_type, server_url = n.server_url,
    auth_header = n.auth_header, auth_token = n.auth_token, custom_headers = n.custom_headers, command = n.command, args = n.args,
    env = n.env, last_updated_by_id = $3, updated_at = now()
  from ${GIVEN}
  where s.organization_id = $1 and s.id = n.id
  returning ${mcpServerColumns('s')}`,
)

/** Writes the server as given. Undefined when it is gone; throws a unique violation when the name is taken. */
export async function updateMcpServer(
  db: Queryable,
  organizationId: string,
  server: McpServerToStore,
  userId: string,
): Promise<McpServerRow | undefined> {
  const [row] = await db.query<McpServerRow>(UPDATE_MCP_SERVER, [organizationId, JSON.stringify(server), userId])
  return row
}

const DELETE_MCP_SERVER = statement(
  'delete-mcp-server',
  'delete from mcp_servers as s where s.organization_id = $1 and s.id = $2 returning s.id',
)

/** Deletes the server with its tools, from all agents too. False when there is none. */
export async function deleteMcpServer(db: Queryable, organizationId: string, id: string): Promise<boolean> {
  const rows = await db.query(DELETE_MCP_SERVER, [organizationId, id])
  return rows.length > 0
}
