import { type Queryable, statement } from '#store/db.ts'
import type { BatchItem } from './batch-row.ts'

/** The batch with all its items, or nothing of it where an agent is missing; one statement. */
const insert = statement(
  'insert-batch',
  `
with item as (
  select n.position, n.agent_id, n.run_id, n.request, n.input
  from jsonb_to_recordset($3::jsonb) as n (position integer, agent_id text, run_id text, request jsonb, input jsonb)
), missing as (
  select item.agent_id from item
  where not exists (select from agents as a where a.organization_id = $1 and a.id = item.agent_id)
  order by item.position limit 1
), batch as (
  insert into batches (organization_id, id, item_count, callback_url, created_by_id)
  select $1, $2, (select count(*) from item), $4, $5 where not exists (select from missing)
  returning organization_id, id
), stored as (
  insert into batch_items (organization_id, batch_id, position, agent_id, run_id, request, input)
  select batch.organization_id, batch.id, item.position, item.agent_id, item.run_id, item.request, item.input
  from batch cross join item
)
select missing.agent_id from missing`,
)

export interface NewBatch {
  organizationId: string
  id: string
  items: BatchItem[]
  callbackUrl: string | null
  userId: string
}

/** @returns the id of the first agent that does not exist; then nothing was stored */
export async function insertBatch(db: Queryable, batch: NewBatch): Promise<string | undefined> {
  const [missing] = await db.query<{ agent_id: string }>(insert, [
    batch.organizationId,
    batch.id,
    JSON.stringify(batch.items),
    batch.callbackUrl,
    batch.userId,
  ])
  return missing?.agent_id
}
