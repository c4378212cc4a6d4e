import { sql } from 'kysely'
import { notFound } from '#platform/errors.ts'
import { allOf } from '#store/all-of.ts'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import { containsPattern } from '#store/contains-pattern.ts'
import { type Queryable, statement } from '#store/db.ts'
import { keysetPage, type PageRequest } from '#store/page.ts'
import { requireCursor } from '#store/require-cursor.ts'
import { type IdentityRow, type IdentityType, identityColumns } from './identity-row.ts'

const FIND_IDENTITY = statement(
  'find-identity',
  `select ${identityColumns('i')} from identities as i where i.organization_id = $1 and i.id = $2`,
)

/** Throws not_found. */
export async function getIdentity(db: Queryable, organizationId: string, id: string): Promise<IdentityRow> {
  const [row] = await db.query<IdentityRow>(FIND_IDENTITY, [organizationId, id])
  if (row === undefined) throw notFound(`Identity ${id} was not found.`)
  return row
}

/** Every condition that is given must hold. */
export interface IdentityFilter {
  /** Substring, in any case. */
  name?: string | undefined
  projectId?: string | undefined
  identifierKey?: string | undefined
  identityType?: IdentityType | undefined
}

export async function listIdentities(
  db: Queryable,
  organizationId: string,
  filter: IdentityFilter,
  page: PageRequest,
): Promise<IdentityRow[]> {
  const paging = keysetPage(page, { table: 'identities', organizationId })
  const conditions = allOf(
    sql`identities.organization_id = ${organizationId}`,
    filter.name !== undefined && sql`identities.name ilike ${containsPattern(filter.name)}`,
    filter.projectId !== undefined && sql`identities.project_id = ${filter.projectId}`,
    filter.identifierKey !== undefined && sql`identities.identifier_key = ${filter.identifierKey}`,
    filter.identityType !== undefined && sql`identities.identity_type = ${filter.identityType}`,
  )
  const query = sql`select ${sql.raw(identityColumns('identities'))} from identities
    where ${conditions} and ${paging.where} order by ${paging.orderBy} limit ${page.limit}`
  const rows = await db.query<IdentityRow>(...toStatement('list-identities', query.compile(sqlBuilder)))
  if (rows.length === 0) await requireCursor(db, organizationId, 'identities', page)
  return paging.finish(rows)
}

const COUNT_IDENTITIES = statement(
  'count-identities',
  'select count(*) as count from identities as i where i.organization_id = $1',
)

export async function countIdentities(db: Queryable, organizationId: string): Promise<number> {
  const [row] = await db.query<{ count: number }>(COUNT_IDENTITIES, [organizationId])
  return row?.count ?? 0
}

const LIST_IDENTITIES_OF_AGENTS = statement(
  'list-identities-of-agents',
  `select a.agent_id as of_agent, ${identityColumns('i')} from agent_identities as a
   join identities as i on i.organization_id = a.organization_id and i.id = a.identity_id
   where a.organization_id = $1 and a.agent_id = any($2::text[])
   order by a.attached_at, a.identity_id`,
)

/** The identities of each agent, in the order in which they were attached. */
export async function listIdentitiesOfAgents(
  db: Queryable,
  organizationId: string,
  agentIds: readonly string[],
): Promise<Map<string, IdentityRow[]>> {
  const rows = await db.query<IdentityRow & { of_agent: string }>(LIST_IDENTITIES_OF_AGENTS, [organizationId, agentIds])
  const byAgent = Map.groupBy(rows, (row) => row.of_agent)
  return new Map([...byAgent].map(([id, found]) => [id, found.map(({ of_agent: _, ...identity }) => identity)]))
}

const LIST_EXISTING_IDENTITIES = statement(
  'list-existing-identities',
  'select i.id from identities as i where i.organization_id = $1 and i.id = any($2::text[])',
)

/** Throws not_found where one of the ids is of no identity. */
export async function requireIdentities(db: Queryable, organizationId: string, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  const known = await db.query<{ id: string }>(LIST_EXISTING_IDENTITIES, [organizationId, ids])
  const unknown = ids.filter((id) => !known.some((row) => row.id === id))
  if (unknown.length > 0) {
    throw notFound(`Identities not found: there are no identities with the ids ${unknown.join(', ')}.`)
  }
}
