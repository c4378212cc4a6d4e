import Type, { type Static } from 'typebox'
import { notFound } from '#platform/errors.ts'
import type { Queryable } from '#store/db.ts'
import { findToolOfMcpServer } from '#store/mcp-servers/mcp-server-reader.ts'
import type { McpServerRow } from '#store/mcp-servers/mcp-server-row.ts'
import type { ToolRow } from '#store/tools/tool-row.ts'
import { getMcpServer } from '#tools/mcp/modify-mcp-server.ts'

/** Any texts: as in V1, ids of another form are simply not found. */
export const McpToolId = Type.Object({ mcp_server_id: Type.String(), tool_id: Type.String() })

/** A tool with the server that it was found at. Throws not_found. */
export async function getMcpTool(
  db: Queryable,
  organizationId: string,
  { mcp_server_id, tool_id }: Static<typeof McpToolId>,
): Promise<{ server: McpServerRow; tool: ToolRow }> {
  const server = await getMcpServer(db, organizationId, mcp_server_id)
  const tool = await findToolOfMcpServer(db, organizationId, server.id, tool_id)
  if (tool === undefined) throw notFound(`Tool ${tool_id} was not found at the MCP server '${server.server_name}'.`)
  return { server, tool }
}
