import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { attachArchiveToAgent } from './attach-archive-to-agent.ts'
import { detachArchiveFromAgent } from './detach-archive-from-agent.ts'

export function registerAgentArchives(app: App, context: Context): void {
  // agents:write
  attachArchiveToAgent(app, context)
  detachArchiveFromAgent(app, context)
}
