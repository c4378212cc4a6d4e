import { type Queryable, statement } from '#store/db.ts'

export interface Retrieval {
  passage_id: string
  count: number
  /** ISO 8601. */
  last: string
}

// in the order of the ids, so that two servers wait for each other and not in a circle
const ADD = statement(
  'add-passage-retrievals',
  `insert into passage_retrievals as r (organization_id, passage_id, retrieval_count, last_retrieved_at)
   select $1, n.passage_id, n.count, n.last from jsonb_to_recordset($2::jsonb) as n (passage_id text, count bigint, last timestamptz)
   join passages as p on p.organization_id = $1 and p.id = n.passage_id
   order by n.passage_id
   on conflict (organization_id, passage_id) do update set retrieval_count = r.retrieval_count + excluded.retrieval_count,
     last_retrieved_at = greatest(r.last_retrieved_at, excluded.last_retrieved_at)`,
)

/** Adds to what is known of passages; of those that are gone nothing. Each passage once. */
export async function addPassageRetrievals(
  db: Queryable,
  organizationId: string,
  retrievals: readonly Retrieval[],
): Promise<void> {
  await db.query(ADD, [organizationId, JSON.stringify(retrievals)])
}
