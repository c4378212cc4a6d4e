import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { countIdentities } from './count-identities.ts'
import { createIdentity } from './create-identity.ts'
import { deleteIdentity } from './delete-identity.ts'
import { listAgentsForIdentity } from './list-agents-for-identity.ts'
import { listBlocksForIdentity } from './list-blocks-for-identity.ts'
import { listIdentities } from './list-identities.ts'
import { retrieveIdentity } from './retrieve-identity.ts'
import { updateIdentity } from './update-identity.ts'
import { upsertIdentity } from './upsert-identity.ts'
import { upsertPropertiesForIdentity } from './upsert-properties-for-identity.ts'

export function registerIdentities(app: App, context: Context): void {
  // identities:read
  listIdentities(app, context)
  countIdentities(app, context)
  retrieveIdentity(app, context)
  listAgentsForIdentity(app, context)
  listBlocksForIdentity(app, context)

  // identities:write
  createIdentity(app, context)
  upsertIdentity(app, context)
  updateIdentity(app, context)
  deleteIdentity(app, context)
  upsertPropertiesForIdentity(app, context)
}
