import { sql } from 'kysely'
import { allOf } from '#store/all-of.ts'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import { type Queryable, statement } from '#store/db.ts'
import { keysetPage, type PageRequest } from '#store/page.ts'
import { requireCursor } from '#store/require-cursor.ts'
import { type ProviderRow, providerColumns } from './provider-row.ts'

const FIND_PROVIDER = statement(
  'find-provider',
  `select ${providerColumns('p')} from providers as p
   where p.organization_id = $1 and p.id = $2 and p.deleted_at is null`,
)

export async function findProvider(
  db: Queryable,
  organizationId: string,
  id: string,
): Promise<ProviderRow | undefined> {
  const [row] = await db.query<ProviderRow>(FIND_PROVIDER, [organizationId, id])
  return row
}

const LIST_USABLE_PROVIDERS = statement(
  'list-usable-providers',
  `select ${providerColumns('p')} from providers as p
   where p.organization_id = $1 and p.deleted_at is null order by p.created_at, p.id`,
)

/** All of a tenant's providers, oldest first: what its handles are looked up in. */
export function listUsableProviders(db: Queryable, organizationId: string): Promise<ProviderRow[]> {
  return db.query<ProviderRow>(LIST_USABLE_PROVIDERS, [organizationId])
}

/** Every condition that is given must hold. */
export interface ProviderFilter {
  name?: string | undefined
  providerType?: string | undefined
}

export async function listProviders(
  db: Queryable,
  organizationId: string,
  filter: ProviderFilter,
  page: PageRequest,
): Promise<ProviderRow[]> {
  const paging = keysetPage(page, { table: 'providers', organizationId })
  const conditions = allOf(
    sql`providers.organization_id = ${organizationId}`,
    sql`providers.deleted_at is null`,
    filter.name !== undefined && sql`providers.name = ${filter.name}`,
    filter.providerType !== undefined && sql`providers.provider_type = ${filter.providerType}`,
  )
  const query = sql`select ${sql.raw(providerColumns('providers'))} from providers
    where ${conditions} and ${paging.where} order by ${paging.orderBy} limit ${page.limit}`
  const rows = await db.query<ProviderRow>(...toStatement('list-providers', query.compile(sqlBuilder)))
  if (rows.length === 0) await requireCursor(db, organizationId, 'providers', page)
  return paging.finish(rows)
}
