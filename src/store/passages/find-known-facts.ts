import { type Queryable, statement } from '#store/db.ts'
import { type PassageRow, passageColumns } from './passage-row.ts'

const FIND_KNOWN_FACTS = statement(
  'find-known-facts',
  `select ${passageColumns('p')}, p.fact_key from passages as p
   where p.organization_id = $1 and p.fact_key = any($3::uuid[])
     and p.archive_id = (select aa.archive_id from agent_archives as aa where aa.organization_id = $1 and aa.agent_id = $2)`,
)

/** The passages of an agent's archive that have one of these keys. */
export async function findKnownFacts(
  db: Queryable,
  organizationId: string,
  agentId: string,
  factKeys: readonly string[],
): Promise<(PassageRow & { fact_key: string })[]> {
  return db.query(FIND_KNOWN_FACTS, [organizationId, agentId, factKeys])
}

const FIND_FACT = statement(
  'find-fact',
  'select p.id from passages as p where p.organization_id = $1 and p.archive_id = $2 and p.fact_key = $3::uuid',
)

/** The id of the passage of an archive that has this key. */
export async function findFactId(
  db: Queryable,
  organizationId: string,
  archiveId: string,
  factKey: string,
): Promise<string | undefined> {
  const [row] = await db.query<{ id: string }>(FIND_FACT, [organizationId, archiveId, factKey])
  return row?.id
}
