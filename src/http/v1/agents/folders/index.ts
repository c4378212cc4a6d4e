import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { AGENT_FOLDER_ROUTES } from './agent-folder-routes.ts'
import { attachFolderToAgent } from './attach-folder-to-agent.ts'
import { detachFolderFromAgent } from './detach-folder-from-agent.ts'
import { listFoldersForAgent } from './list-folders-for-agent.ts'

export function registerAgentFolders(app: App, context: Context): void {
  for (const routes of AGENT_FOLDER_ROUTES) {
    // agents:read
    listFoldersForAgent(app, context, routes)

    // agents:write
    attachFolderToAgent(app, context, routes)
    detachFolderFromAgent(app, context, routes)
  }
}
