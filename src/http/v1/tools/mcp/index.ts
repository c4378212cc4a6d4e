import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { addMcpServer } from './add-mcp-server.ts'
import { addMcpTool } from './add-mcp-tool.ts'
import { connectMcpServer } from './connect-mcp-server.ts'
import { deleteMcpServer } from './delete-mcp-server.ts'
import { executeMcpTool } from './execute-mcp-tool.ts'
import { listMcpServers } from './list-mcp-servers.ts'
import { listMcpToolsByServer } from './list-mcp-tools-by-server.ts'
import { mcpOauthCallback } from './mcp-oauth-callback.ts'
import { resyncMcpServerTools } from './resync-mcp-server-tools.ts'
import { testMcpServer } from './test-mcp-server.ts'
import { updateMcpServer } from './update-mcp-server.ts'

export function registerLegacyMcpServers(app: App, context: Context): void {
  // tools:read
  listMcpServers(app, context)
  listMcpToolsByServer(app, context)

  // tools:write
  addMcpServer(app, context)
  updateMcpServer(app, context)
  deleteMcpServer(app, context)
  resyncMcpServerTools(app, context)
  addMcpTool(app, context)
  executeMcpTool(app, context)
  testMcpServer(app, context)
  connectMcpServer(app, context)

  // open to all
  mcpOauthCallback(app, context)
}
