import { type Queryable, statement } from '#store/db.ts'
import type { BatchItem, BatchStatus } from './batch-row.ts'

/** Items whose run has ended; a run that was deleted meanwhile has ended too, and nobody knows how. */
const settle = statement(
  'settle-batch-items',
  `
update batch_items as i set state = case when s.run_id is null then 'failed' else s.status end
from (
  select t.position, r.id as run_id, r.status from batch_items as t
  left join runs as r on r.organization_id = t.organization_id and r.id = t.run_id
  where t.organization_id = $1 and t.batch_id = $2 and t.state = 'started' and (r.id is null or r.completed_at is not null)
) as s
where i.organization_id = $1 and i.batch_id = $2 and i.position = s.position and i.state = 'started'`,
)

/** In the order of the request, as many as there is room for. */
const listNext = statement(
  'list-next-batch-items',
  `
select i.position, i.agent_id, i.run_id, i.request, i.input from batch_items as i
where i.organization_id = $1 and i.batch_id = $2 and i.state = 'waiting'
order by i.position
limit (
  select greatest($3::integer - count(*), 0) from batch_items as s
  where s.organization_id = $1 and s.batch_id = $2 and s.state = 'started'
)`,
)

const mark = statement(
  'mark-batch-item',
  `
update batch_items as i set state = $4
where i.organization_id = $1 and i.batch_id = $2 and i.position = $3 and i.state = 'waiting' returning i.position`,
)

/** Also runs whose process died before it could note that they had started. */
const listActive = statement(
  'list-active-batch-runs',
  `
select r.id from batch_items as i
join runs as r on r.organization_id = i.organization_id and r.id = i.run_id and r.status in ('created', 'running')
where i.organization_id = $1 and i.batch_id = $2`,
)

const cancel = statement(
  'cancel-batch',
  `
with batch as (
  update batches as b set status = 'cancelled', stop_reason = 'cancelled', updated_at = now()
  where b.organization_id = $1 and b.id = $2 and b.completed_at is null
  returning b.organization_id, b.id
), items as (
  update batch_items as i set state = 'cancelled' from batch
  where i.organization_id = $1 and i.batch_id = batch.id and i.state = 'waiting'
)
select batch.id from batch`,
)

/** The end of a batch and its callback, in one statement; nothing while an item has not ended. */
const finish = statement(
  'finish-batch',
  `
with done as (
  select b.id from batches as b
  where b.organization_id = $1 and b.id = $2 and b.completed_at is null
    and not exists (select from batch_items as i where i.organization_id = $1 and i.batch_id = b.id and i.state = 'waiting')
    and not exists (select from batch_items as i where i.organization_id = $1 and i.batch_id = b.id and i.state = 'started')
  for update
), counted as (
  select count(*) filter (where i.state = 'completed') as completed, count(*) filter (where i.state = 'failed') as failed,
    count(*) filter (where i.state = 'cancelled') as cancelled
  from done join batch_items as i on i.organization_id = $1 and i.batch_id = done.id
), ended as (
  update batches as b set completed_at = now(), updated_at = now(),
    status = case when b.status = 'cancelled' then 'cancelled' when counted.completed > 0 then 'completed'
      when counted.failed > 0 then 'failed' else 'cancelled' end,
    metadata = jsonb_build_object('completed', counted.completed, 'failed', counted.failed, 'cancelled', counted.cancelled)
  from done cross join counted where b.organization_id = $1 and b.id = done.id
  returning b.id, b.status, b.completed_at, b.callback_url, b.metadata
), callback as (
  insert into webhook_deliveries (organization_id, id, batch_id, url, status, completed_at, metadata)
  select $1, 'delivery-' || substr(ended.id, 5), ended.id, ended.callback_url, ended.status, ended.completed_at, ended.metadata
  from ended where ended.callback_url is not null
  on conflict do nothing
)
select ended.status from ended`,
)

export interface BatchKey {
  organization_id: string
  id: string
}

/** Notes which runs of a batch have ended. */
export async function settleBatchItems(db: Queryable, batch: BatchKey): Promise<void> {
  await db.query(settle, [batch.organization_id, batch.id])
}

/** The items that are to be started now, so that no more than `limit` of the batch are under way. */
export function listNextBatchItems(db: Queryable, batch: BatchKey, limit: number): Promise<BatchItem[]> {
  return db.query<BatchItem>(listNext, [batch.organization_id, batch.id, limit])
}

/** False where the item does not wait any more: the batch was cancelled. */
export async function markBatchItem(
  db: Queryable,
  batch: BatchKey,
  position: number,
  state: 'started' | 'failed',
): Promise<boolean> {
  return (await db.query(mark, [batch.organization_id, batch.id, position, state])).length > 0
}

/** Runs of the batch that wait or work. */
export async function listActiveBatchRuns(db: Queryable, batch: BatchKey): Promise<string[]> {
  return (await db.query<{ id: string }>(listActive, [batch.organization_id, batch.id])).map((row) => row.id)
}

/** Starts nothing more of the batch; false where it has ended, or is not there. */
export async function cancelBatch(db: Queryable, batch: BatchKey): Promise<boolean> {
  return (await db.query(cancel, [batch.organization_id, batch.id])).length > 0
}

/** Ends the batch if all its items have ended; gives how it ended. */
export async function finishBatch(db: Queryable, batch: BatchKey): Promise<BatchStatus | undefined> {
  const [row] = await db.query<{ status: BatchStatus }>(finish, [batch.organization_id, batch.id])
  return row?.status
}
