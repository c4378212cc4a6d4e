import { notFound } from '#platform/errors.ts'
import { findProvider } from '#store/providers/provider-reader.ts'
import type { ProviderRow } from '#store/providers/provider-row.ts'
import { updateProvider } from '#store/providers/provider-writer.ts'
import { checkCallable } from './check-key.ts'
import type { NewProviderInput, ProviderDeps, ProviderOwner } from './create-provider.ts'
import { sealKey } from './provider-keys.ts'
import { syncModels } from './sync-models.ts'

export type ProviderChange = Partial<Omit<NewProviderInput, 'name' | 'provider_type'>>

export const providerNotFound = (id: string) => notFound(`Provider ${id} was not found.`)

/**
 * Changes a provider; null clears, what is not given stays. This replica uses it at once, others after seconds. Throws not_found,
 * and what `createProvider` throws for the same fields.
 */
export async function modifyProvider(
  deps: ProviderDeps,
  { organizationId, userId }: ProviderOwner,
  id: string,
  change: ProviderChange,
): Promise<ProviderRow> {
  const { db, secrets } = deps
  const before = await findProvider(db, organizationId, id)
  if (before === undefined) throw providerNotFound(id)
  const { name, provider_type: providerType } = before
  const baseUrl = change.base_url === undefined ? before.base_url : change.base_url
  checkCallable({ name, providerType, baseUrl, apiKey: undefined }, deps.allowsPrivate)
  const { api_key, access_key, ...plain } = change
  const fields = {
    ...plain,
    ...(api_key === undefined ? {} : { api_key: sealKey(secrets, organizationId, name, 'api_key', api_key) }),
    ...(access_key === undefined
      ? {}
      : { access_key: sealKey(secrets, organizationId, name, 'access_key', access_key) }),
  }
  const row = await updateProvider(db, organizationId, id, fields, userId)
  if (row === undefined) throw providerNotFound(id)
  return (await syncModels(deps, organizationId, row)).row
}
