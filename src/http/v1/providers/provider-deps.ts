import type { ProviderDeps } from '#agent/providers/create-provider.ts'
import type { Context } from '#context.ts'

/** What the operations on providers work with. */
export const providerDeps = ({ db, secrets, providers, config }: Context): ProviderDeps => ({
  db,
  secrets,
  desk: providers,
  allowsPrivate: config.providerAddresses === 'any',
})
