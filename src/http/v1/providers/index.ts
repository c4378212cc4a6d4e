import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { checkExistingProvider } from './check-existing-provider.ts'
import { checkProvider } from './check-provider.ts'
import { createProvider } from './create-provider.ts'
import { deleteProvider } from './delete-provider.ts'
import { listProviders } from './list-providers.ts'
import { modifyProvider } from './modify-provider.ts'
import { refreshProviderModels } from './refresh-provider-models.ts'
import { retrieveProvider } from './retrieve-provider.ts'

export function registerProviders(app: App, context: Context): void {
  // providers:read
  listProviders(app, context)
  retrieveProvider(app, context)

  // providers:write
  createProvider(app, context)
  modifyProvider(app, context)
  deleteProvider(app, context)
  checkProvider(app, context)
  checkExistingProvider(app, context)
  refreshProviderModels(app, context)
}
