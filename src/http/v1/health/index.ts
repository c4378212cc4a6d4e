import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { checkHealth } from './check-health.ts'
import { checkReadiness } from './check-readiness.ts'

export function registerHealth(app: App, context: Context): void {
  // public
  checkHealth(app)
  checkReadiness(app, context)
}
