import { type Queryable, statement } from '#store/db.ts'
import { type ToolRow, toolColumns } from '#store/tools/tool-row.ts'
import { type McpServerRow, mcpServerColumns } from './mcp-server-row.ts'

const FIND_MCP_SERVER = statement(
  'find-mcp-server',
  `select ${mcpServerColumns('s')} from mcp_servers as s where s.organization_id = $1 and s.id = $2`,
)

export async function findMcpServer(
  db: Queryable,
  organizationId: string,
  id: string,
): Promise<McpServerRow | undefined> {
  const [row] = await db.query<McpServerRow>(FIND_MCP_SERVER, [organizationId, id])
  return row
}

const FIND_MCP_SERVER_BY_NAME = statement(
  'find-mcp-server-by-name',
  `select ${mcpServerColumns('s')} from mcp_servers as s where s.organization_id = $1 and s.server_name = $2`,
)

export async function findMcpServerByName(
  db: Queryable,
  organizationId: string,
  serverName: string,
): Promise<McpServerRow | undefined> {
  const [row] = await db.query<McpServerRow>(FIND_MCP_SERVER_BY_NAME, [organizationId, serverName])
  return row
}

const LIST_MCP_SERVERS = statement(
  'list-mcp-servers',
  `select ${mcpServerColumns('s')} from mcp_servers as s where s.organization_id = $1 order by s.created_at, s.id`,
)

/** All of them, oldest first: V1 knows no pages here, and an organisation has a handful. */
export function listMcpServers(db: Queryable, organizationId: string): Promise<McpServerRow[]> {
  return db.query<McpServerRow>(LIST_MCP_SERVERS, [organizationId])
}

const LIST_TOOLS_OF_MCP_SERVER = statement(
  'list-tools-of-mcp-server',
  `select ${toolColumns('t')} from tools as t where t.organization_id = $1 and t.mcp_server_id = $2 order by t.name`,
)

/** The tools that were found at a server, by name. */
export function listToolsOfMcpServer(db: Queryable, organizationId: string, serverId: string): Promise<ToolRow[]> {
  return db.query<ToolRow>(LIST_TOOLS_OF_MCP_SERVER, [organizationId, serverId])
}

const FIND_TOOL_OF_MCP_SERVER = statement(
  'find-tool-of-mcp-server',
  `select ${toolColumns('t')} from tools as t where t.organization_id = $1 and t.mcp_server_id = $2 and t.id = $3`,
)

export async function findToolOfMcpServer(
  db: Queryable,
  organizationId: string,
  serverId: string,
  toolId: string,
): Promise<ToolRow | undefined> {
  const [row] = await db.query<ToolRow>(FIND_TOOL_OF_MCP_SERVER, [organizationId, serverId, toolId])
  return row
}
