import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { closeAllFilesForAgent } from './close-all-files-for-agent.ts'
import { closeFileForAgent } from './close-file-for-agent.ts'
import { listFilesForAgent } from './list-files-for-agent.ts'
import { openFileForAgent } from './open-file-for-agent.ts'

export function registerAgentFiles(app: App, context: Context): void {
  // agents:read
  listFilesForAgent(app, context)

  // agents:write
  openFileForAgent(app, context)
  closeFileForAgent(app, context)
  closeAllFilesForAgent(app, context)
}
