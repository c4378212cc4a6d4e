import { toBroughtProvider } from '#llm/provider-types.ts'
import type { ProviderRow } from '#store/providers/provider-row.ts'
import { markProviderSynced } from '#store/providers/provider-writer.ts'
import type { ProviderDeps } from './create-provider.ts'
import { openKey } from './provider-keys.ts'

/**
 * Asks a stored provider for its models and notes when it gave them; every replica then lists them anew. Takes five seconds at most.
 * @returns the row as it is then, and why there is no list where there is none
 */
export async function syncModels(
  { db, secrets, desk }: Omit<ProviderDeps, 'allowsPrivate'>,
  organizationId: string,
  row: ProviderRow,
): Promise<{ row: ProviderRow; problem: string | undefined }> {
  const provider = toBroughtProvider({
    name: row.name,
    providerType: row.provider_type,
    baseUrl: row.base_url,
    apiKey: openKey(secrets, organizationId, row.name, row.api_key),
  })
  // what was changed is there at once, whatever the provider says
  desk.forgetProviders(organizationId)
  const { models, problem } = await desk.tryProvider(provider)
  if (models === undefined) return { row, problem: problem ?? 'it gave no list of its models' }
  const synced = await markProviderSynced(db, organizationId, row.id)
  desk.forgetProviders(organizationId)
  return { row: synced ?? row, problem: undefined }
}
