import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { deleteEnvironment } from './delete-environment.ts'
import { listEnvironments } from './list-environments.ts'
import { registerEnvironment } from './register-environment.ts'
import { retrieveEnvironment } from './retrieve-environment.ts'
import { sendMessageToEnvironment } from './send-message-to-environment.ts'

export function registerEnvironments(app: App, context: Context): void {
  // environments:read
  listEnvironments(app, context)
  retrieveEnvironment(app, context)

  // environments:write
  registerEnvironment(app, context)
  deleteEnvironment(app, context)
  sendMessageToEnvironment(app, context)
}
