import type { TenantProvider } from '#llm/tenant-providers.ts'
import type { SecretBox } from '#platform/secret-box.ts'
import type { Queryable } from '#store/db.ts'
import { listUsableProviders } from '#store/providers/provider-reader.ts'
import { openKey } from './provider-keys.ts'

/** The providers that an organisation has brought, for the registry of models. */
export async function loadTenantProviders(
  db: Queryable,
  secrets: SecretBox,
  organizationId: string,
): Promise<TenantProvider[]> {
  const rows = await listUsableProviders(db, organizationId)
  return rows.map((row) => ({
    id: row.id,
    // a refreshed list of models is a change too: other replicas drop theirs
    version: `${row.updated_at.getTime()} ${row.last_synced?.getTime() ?? 0}`,
    name: row.name,
    providerType: row.provider_type,
    baseUrl: row.base_url,
    openKey: () => openKey(secrets, organizationId, row.name, row.api_key),
  }))
}
