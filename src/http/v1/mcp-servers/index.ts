import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { mcpConnectMcpServer } from './mcp-connect-mcp-server.ts'
import { mcpCreateMcpServer } from './mcp-create-mcp-server.ts'
import { mcpDeleteMcpServer } from './mcp-delete-mcp-server.ts'
import { mcpListMcpServers } from './mcp-list-mcp-servers.ts'
import { mcpListToolsForMcpServer } from './mcp-list-tools-for-mcp-server.ts'
import { mcpRefreshMcpServerTools } from './mcp-refresh-mcp-server-tools.ts'
import { mcpRetrieveMcpServer } from './mcp-retrieve-mcp-server.ts'
import { mcpRetrieveMcpTool } from './mcp-retrieve-mcp-tool.ts'
import { mcpRunTool } from './mcp-run-tool.ts'
import { mcpUpdateMcpServer } from './mcp-update-mcp-server.ts'

export function registerMcpServers(app: App, context: Context): void {
  // tools:read
  mcpListMcpServers(app, context)
  mcpRetrieveMcpServer(app, context)
  mcpListToolsForMcpServer(app, context)
  mcpRetrieveMcpTool(app, context)

  // tools:write
  mcpCreateMcpServer(app, context)
  mcpUpdateMcpServer(app, context)
  mcpDeleteMcpServer(app, context)
  mcpRefreshMcpServerTools(app, context)
  mcpRunTool(app, context)
  mcpConnectMcpServer(app, context)
}
