import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { retrieveProviderTrace } from './retrieve-provider-trace.ts'

export function registerTelemetry(app: App, context: Context): void {
  // steps:read
  retrieveProviderTrace(app, context)
}
