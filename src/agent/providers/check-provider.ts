import { findProvider } from '#store/providers/provider-reader.ts'
import { checkKey } from './check-key.ts'
import type { ProviderDeps } from './create-provider.ts'
import { providerNotFound } from './modify-provider.ts'
import { openKey } from './provider-keys.ts'

/** Checks the key of a stored provider. @returns its type. Throws not_found, and what `checkKey` throws. */
export async function checkProvider(deps: ProviderDeps, organizationId: string, id: string): Promise<string> {
  const row = await findProvider(deps.db, organizationId, id)
  if (row === undefined) throw providerNotFound(id)
  await checkKey(deps, {
    name: row.name,
    providerType: row.provider_type,
    baseUrl: row.base_url,
    apiKey: openKey(deps.secrets, organizationId, row.name, row.api_key),
  })
  return row.provider_type
}
