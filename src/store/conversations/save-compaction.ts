import { type Queryable, statement } from '#store/db.ts'
import { NEW_MESSAGE_COLUMNS, type NewMessage, newMessageRows } from '#store/messages/message-row.ts'
import { type ProviderCall, recordedCalls } from '#store/provider-calls/provider-call.ts'
import { type EventBatch, loggedEvents } from '#store/run-events/event-batch.ts'
import type { Lease } from '#store/runs/run-row.ts'

/**
 * The summary, from where the context goes on, and what the summary cost: all or nothing.
 *   held     who may do that at all: the run that owns the thread, or, without a run, anybody while the thread is there
 *   ledger   money that was spent is told also where the rest does not happen
 *   thread   the context is still the one that was summarised (compare and set), and what was summarised still there: a
 *            conversation that was emptied meanwhile gets no summary of what it has forgotten
 * `context_start_at` only spares the older partitions a look; the day's margin is for a clock that was set back.
 * A statement whose answer got lost can be repeated: the thread names the new summary already, and the calls are there.
 */
const saveText = (held: string): string => `
with held as (
  ${held}
), ledger as (
  ${recordedCalls({ from: 'held', json: '$7::jsonb', organizationId: '$1', agentId: '$4', conversationId: '$5', runId: '$2' })}
), thread as (
  update conversations as c set context_start_seq = $8, context_start_at = $14::timestamptz - interval '1 day',
    summary_message_id = $6::jsonb ->> 'id', summary_message_created_at = now(), message_count = c.message_count + 1
  from held
  where c.organization_id = $1 and c.id = $5 and c.context_start_seq = $10 and c.context_start_seq < $8
    and c.summary_message_id is not distinct from $11 and c.deleted_at is null
    and exists (select from messages as m where m.organization_id = $1 and m.id = $12
      and m.created_at between $9::timestamptz - interval '1 millisecond' and $9::timestamptz + interval '1 millisecond')
  returning c.id
), said as (
  insert into messages (${NEW_MESSAGE_COLUMNS})
  ${newMessageRows({ from: 'thread', json: 'jsonb_build_array($6::jsonb)', organizationId: '$1', agentId: '$4', conversationId: '$5', runId: '$2' })}
), logged as (
  ${loggedEvents({ from: 'thread', json: '$13::jsonb', organizationId: '$1', runId: '$2' })}
)
select case
  when not exists (select from held) then 'lost'
  when exists (select from thread) then 'saved'
  when exists (select from conversations as c where c.organization_id = $1 and c.id = $5 and c.summary_message_id = $6::jsonb ->> 'id')
    then 'saved'
  else 'changed'
end as outcome`

const saveOfRun = statement(
  'save-compaction',
  saveText(`select r.id from runs as r
  where r.organization_id = $1 and r.id = $2 and r.lease_token = $3 and r.status = 'running'
  for update`),
)

const saveOfThread = statement(
  'save-compaction-of-thread',
  saveText(`select c.id from conversations as c
  where c.organization_id = $1 and c.id = $5 and $2::text is null and $3::integer is null
  for update`),
)

const record = statement(
  'record-provider-calls',
  `
with held as (
  select r.id from runs as r
  where r.organization_id = $1 and r.id = $2 and r.lease_token = $3 and r.status = 'running'
  for update
)
${recordedCalls({ from: 'held', json: '$6::jsonb', organizationId: '$1', agentId: '$4', conversationId: '$5', runId: '$2' })}`,
)

const recordWithoutRun = statement(
  'record-provider-calls-of-thread',
  recordedCalls({
    from: '(select 1) as always',
    json: '$4::jsonb',
    organizationId: '$1',
    agentId: '$2',
    conversationId: '$3',
    runId: 'null',
  }),
)

/** Where it happens. */
export interface CompactedThread {
  organizationId: string
  agentId: string
  conversationId: string
  /** Null outside of a run. */
  lease: Lease | null
}

export interface Compaction extends CompactedThread {
  summary: NewMessage
  calls: readonly ProviderCall[]
  /** The newest message that leaves the context. */
  lastLeft: { id: string; seq: number; created_at: Date }
  /** No message that stays is older than this. */
  startAt: Date
  /** The context as it was read. */
  former: { startSeq: number; summaryId: string | null }
  /** What streams tell of it, and what they told before and is not stored yet; empty outside of a run. */
  events: readonly EventBatch[]
}

/** `changed`: somebody else has compacted or emptied the thread · `lost`: the lease is gone, or the thread */
export async function saveCompaction(db: Queryable, change: Compaction): Promise<'saved' | 'changed' | 'lost'> {
  const { lease, lastLeft, former } = change
  const [row] = await db.query<{ outcome: 'saved' | 'changed' | 'lost' }>(lease === null ? saveOfThread : saveOfRun, [
    change.organizationId,
    lease?.runId ?? null,
    lease?.token ?? null,
    change.agentId,
    change.conversationId,
    JSON.stringify(change.summary),
    JSON.stringify(change.calls),
    lastLeft.seq + 1,
    lastLeft.created_at,
    former.startSeq,
    former.summaryId,
    lastLeft.id,
    JSON.stringify(change.events),
    change.startAt,
  ])
  return row?.outcome ?? 'lost'
}

/** The ledger alone: calls of a summary that came to nothing. Of a run only while it is ours. */
export async function recordProviderCalls(
  db: Queryable,
  { organizationId, agentId, conversationId, lease }: CompactedThread,
  calls: readonly ProviderCall[],
): Promise<void> {
  if (calls.length === 0) return
  const json = JSON.stringify(calls)
  if (lease === null) await db.query(recordWithoutRun, [organizationId, agentId, conversationId, json])
  else await db.query(record, [organizationId, lease.runId, lease.token, agentId, conversationId, json])
}
