import { DomainError } from '#platform/errors.ts'
import { findProvider } from '#store/providers/provider-reader.ts'
import type { ProviderRow } from '#store/providers/provider-row.ts'
import type { ProviderDeps } from './create-provider.ts'
import { providerNotFound } from './modify-provider.ts'
import { syncModels } from './sync-models.ts'

/** Reads the provider's list of models again, for all replicas. Throws not_found, and unavailable where it gives none. */
export async function refreshProvider(
  deps: Omit<ProviderDeps, 'allowsPrivate'>,
  organizationId: string,
  id: string,
): Promise<ProviderRow> {
  const row = await findProvider(deps.db, organizationId, id)
  if (row === undefined) throw providerNotFound(id)
  const synced = await syncModels(deps, organizationId, row)
  if (synced.problem !== undefined) {
    throw new DomainError('unavailable', `The models of ${row.name} could not be listed: ${synced.problem}.`, {
      canRetry: false,
    })
  }
  return synced.row
}
