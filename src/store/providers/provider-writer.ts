import { type Queryable, statement } from '#store/db.ts'
import { type ProviderFields, type ProviderRow, providerColumns } from './provider-row.ts'

// the limit is counted under no lock: a few more by requests at the same time do no harm
const INSERT_PROVIDER = statement(
  'insert-provider',
  `insert into providers as p (organization_id, id, name, provider_type, base_url, region, api_version, api_key, access_key,
    created_by_id, last_updated_by_id)
   select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10
   where (select count(*) from providers as o where o.organization_id = $1 and o.deleted_at is null) < $11::integer
   on conflict (organization_id, name) do update set provider_type = excluded.provider_type, base_url = excluded.base_url,
     region = excluded.region, api_version = excluded.api_version, api_key = excluded.api_key,
     access_key = excluded.access_key, last_updated_by_id = excluded.last_updated_by_id, last_synced = null,
     created_at = now(), updated_at = now(), deleted_at = null
   where p.deleted_at is not null
   returning ${providerColumns('p')}`,
)

/**
 * Stores a provider; one of this name that was deleted comes back under its old id. Undefined when there is one of this name, or
 * when there are `limit` of them.
 */
export async function insertProvider(
  db: Queryable,
  organizationId: string,
  provider: ProviderFields & { id: string; name: string },
  userId: string,
  limit: number,
): Promise<ProviderRow | undefined> {
  const [row] = await db.query<ProviderRow>(INSERT_PROVIDER, [
    organizationId,
    provider.id,
    provider.name,
    provider.provider_type,
    provider.base_url,
    provider.region,
    provider.api_version,
    provider.api_key,
    provider.access_key,
    userId,
    limit,
  ])
  return row
}

const UPDATE_PROVIDER = statement(
  'update-provider',
  `update providers as p set
    base_url = case when n.fields ? 'base_url' then n.fields ->> 'base_url' else p.base_url end,
    region = case when n.fields ? 'region' then n.fields ->> 'region' else p.region end,
    api_version = case when n.fields ? 'api_version' then n.fields ->> 'api_version' else p.api_version end,
    api_key = case when n.fields ? 'api_key' then n.fields ->> 'api_key' else p.api_key end,
    access_key = case when n.fields ? 'access_key' then n.fields ->> 'access_key' else p.access_key end,
    last_updated_by_id = $4, updated_at = now()
   from (select $3::jsonb as fields) as n
   where p.organization_id = $1 and p.id = $2 and p.deleted_at is null
   returning ${providerColumns('p')}`,
)

/** Writes the fields that are given; null clears. Undefined when there is no such provider. */
export async function updateProvider(
  db: Queryable,
  organizationId: string,
  id: string,
  fields: { [Field in keyof Omit<ProviderFields, 'provider_type'>]?: string | null | undefined },
  userId: string,
): Promise<ProviderRow | undefined> {
  const [row] = await db.query<ProviderRow>(UPDATE_PROVIDER, [organizationId, id, JSON.stringify(fields), userId])
  return row
}

const DELETE_PROVIDER = statement(
  'delete-provider',
  `update providers as p set deleted_at = now(), api_key = null, access_key = null, last_updated_by_id = $3
   where p.organization_id = $1 and p.id = $2 and p.deleted_at is null returning p.id`,
)

/** Deletes a provider and its keys. False when there is none. */
export async function deleteProvider(
  db: Queryable,
  organizationId: string,
  id: string,
  userId: string,
): Promise<boolean> {
  const rows = await db.query(DELETE_PROVIDER, [organizationId, id, userId])
  return rows.length > 0
}

const MARK_SYNCED = statement(
  'mark-provider-synced',
  `update providers as p set last_synced = now()
   where p.organization_id = $1 and p.id = $2 and p.deleted_at is null returning ${providerColumns('p')}`,
)

/** Notes that the provider has just given the list of its models. Undefined when it is gone. */
export async function markProviderSynced(
  db: Queryable,
  organizationId: string,
  id: string,
): Promise<ProviderRow | undefined> {
  const [row] = await db.query<ProviderRow>(MARK_SYNCED, [organizationId, id])
  return row
}
