import type { ProviderDesk } from '#llm/registry.ts'
import { conflict, invalidArgument } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import type { SecretBox } from '#platform/secret-box.ts'
import type { Db } from '#store/db.ts'
import { listUsableProviders } from '#store/providers/provider-reader.ts'
import type { ProviderRow } from '#store/providers/provider-row.ts'
import { insertProvider } from '#store/providers/provider-writer.ts'
import { checkCallable } from './check-key.ts'
import { sealKey } from './provider-keys.ts'
import { syncModels } from './sync-models.ts'

/** All of them are read where a handle is looked up. */
const MAX_PROVIDERS = 100

export interface ProviderDeps {
  db: Db
  secrets: SecretBox
  desk: ProviderDesk
  allowsPrivate: boolean
}

export interface ProviderOwner {
  organizationId: string
  userId: string
}

export interface NewProviderInput {
  name: string
  provider_type: string
  api_key: string
  access_key?: string | null | undefined
  region?: string | null | undefined
  base_url?: string | null | undefined
  api_version?: string | null | undefined
}

/**
 * Stores a provider with its key, and asks it for its models; that it does not answer does not matter here. One of this name that was
 * deleted comes back with its id. Throws invalid_argument (a name of the server's own, a type or an address that cannot be called,
 * no key to encrypt with), conflict.
 */
export async function createProvider(
  deps: ProviderDeps,
  { organizationId, userId }: ProviderOwner,
  input: NewProviderInput,
): Promise<ProviderRow> {
  const { db, secrets, desk } = deps
  const { name } = input
  if (desk.isConfigured(name)) {
    throw invalidArgument(
      `INVALID_ARGUMENT: Provider name ${name} is used by a provider of the server itself. Choose another name; handles of its models begin with it.`,
    )
  }
  const baseUrl = input.base_url ?? null
  checkCallable({ name, providerType: input.provider_type, baseUrl, apiKey: undefined }, deps.allowsPrivate)
  const provider = {
    id: newId('provider'),
    name,
    provider_type: input.provider_type,
    base_url: baseUrl,
    region: input.region ?? null,
    api_version: input.api_version ?? null,
    api_key: sealKey(secrets, organizationId, name, 'api_key', input.api_key),
    access_key: sealKey(secrets, organizationId, name, 'access_key', input.access_key),
  }
  const row = await insertProvider(db, organizationId, provider, userId, MAX_PROVIDERS)
  if (row === undefined) throw await whyNot(db, organizationId, name)
  return (await syncModels(deps, organizationId, row)).row
}

async function whyNot(db: Db, organizationId: string, name: string): Promise<Error> {
  const others = await listUsableProviders(db, organizationId)
  return others.some((other) => other.name === name)
    ? conflict(`A provider named ${name} exists already. Change it with PATCH, or choose another name.`, {
        canRetry: false,
      })
    : conflict(`There are ${others.length} providers, more are not kept. Delete one first.`, { canRetry: false })
}
