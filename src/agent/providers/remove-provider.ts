import { deleteProvider } from '#store/providers/provider-writer.ts'
import type { ProviderDeps, ProviderOwner } from './create-provider.ts'
import { providerNotFound } from './modify-provider.ts'

/** Deletes a provider and its keys; agents that use it fail until it is made again or they get another model. Throws not_found. */
export async function removeProvider(
  { db, desk }: Pick<ProviderDeps, 'db' | 'desk'>,
  { organizationId, userId }: ProviderOwner,
  id: string,
): Promise<void> {
  const isDeleted = await deleteProvider(db, organizationId, id, userId)
  desk.forgetProviders(organizationId)
  if (!isDeleted) throw providerNotFound(id)
}
