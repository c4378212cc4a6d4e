import { type Queryable, statement } from '#store/db.ts'
import { claimedKeys, noticedKeys, type RunKey } from '#store/idempotency/run-key.ts'
import { NEW_MESSAGE_COLUMNS, type NewMessage, newMessageRows } from '#store/messages/message-row.ts'
import { CLAIMED_RUN_COLUMNS, type ClaimedRun, type RunRequest } from './run-row.ts'

/**
 * Accepts a run and, when its thread is free, starts it: thread, run, lease and input messages in one statement.
 * The row of the thread is locked by the update, so two of them at once are put in order; whoever finds it taken is queued,
 * with the input kept in the run. A run starts only if none is queued before it and this process has room ($12). One that is to
 * have the thread at once or not at all ($13) changes nothing where it is taken. A key that was used before ($14) makes the
 * whole statement fail: a request that was accepted, whether or not its client knows, is never accepted again. While a request for
 * an approval waits in the thread, the input of other runs does not become part of it: the loop refuses them.
 */
function startRunText(threadFilter: string): string {
  return `
with thread as (
  update conversations as c set
    active_run_id = case when c.active_run_id is null and c.queued_run_count = 0 and $12 then $3 else c.active_run_id end,
    queued_run_count = c.queued_run_count + case when c.active_run_id is null and c.queued_run_count = 0 and $12 then 0 else 1 end,
    message_count = c.message_count
      + case when c.active_run_id is null and c.queued_run_count = 0 and $12 and c.pending_approval_id is null
        then jsonb_array_length($5::jsonb) else 0 end,
    last_message_at = now()
  where c.organization_id = $1 and ${threadFilter} and c.deleted_at is null
    and (not $13::boolean or (c.active_run_id is null and c.queued_run_count = 0))
  returning c.id, c.agent_id, c.active_run_id is not distinct from $3 as is_active, c.pending_approval_id is null as is_open
), run as (
  insert into runs as r (organization_id, id, agent_id, conversation_id, status, background, request, queued_input, created_by_id,
    metadata, callback_url, lease_owner, lease_token, lease_expires_at, started_at)
  select $1, $3, thread.agent_id, thread.id, case when is_active then 'running' else 'created' end, $6, $4::jsonb,
    case when is_active then null else $5::jsonb end, $7, $8::jsonb, $9,
    case when is_active then $10 end, case when is_active then 1 else 0 end,
    case when is_active then now() + $11::integer * interval '1 millisecond' end, case when is_active then now() end
  from thread
  returning ${CLAIMED_RUN_COLUMNS}
), said as (
  insert into messages (${NEW_MESSAGE_COLUMNS})
  ${newMessageRows({ from: 'thread', where: 'thread.is_active and thread.is_open', json: '$5::jsonb', organizationId: '$1', agentId: 'thread.agent_id', conversationId: 'thread.id', runId: '$3' })}
), keys as (
  ${claimedKeys({ from: 'thread', json: '$14::jsonb', organizationId: '$1', runId: '$3' })}
), noticed as (
  ${noticedKeys({ from: 'thread', json: '$15::jsonb', organizationId: '$1', runId: '$3' })}
)
select ${CLAIMED_RUN_COLUMNS}, thread.is_active from run as r cross join thread`
}

const startInDefault = statement('start-run', startRunText('c.agent_id = $2 and c.is_default'))
const startInConversation = statement('start-run-in-conversation', startRunText('c.id = $2'))

export interface NewRun {
  organizationId: string
  /** The thread: an agent's default one, or a conversation. */
  thread: { agentId: string } | { conversationId: string }
  runId: string
  request: RunRequest
  input: NewMessage[]
  background: boolean
  userId: string
  metadata: Record<string, unknown>
  callbackUrl: string | null
  /** What becomes of it while the thread is busy: it waits unless told, is refused, or ends what is before it. */
  onBusy?: 'queue' | 'reject' | 'interrupt'
  /** A run that one of these leads to is this run: it is not started again. */
  keys?: RunKey[]
  /** Hashes by which it can be found, as the newest that has them. */
  notices?: string[]
}

export interface LeaseTerms {
  owner: string
  leaseMs: number
}

/**
 * @param canStart false where this process takes no more: then the run is queued although its thread is free
 * @returns the run as stored, and whether it has started (else it waits in the thread's queue); undefined where there is no such
 *   thread, or it is taken and the run is not to wait. Throws a unique violation where a key leads to another run
 */
export async function insertRun(
  db: Queryable,
  run: NewRun,
  lease: LeaseTerms,
  canStart: boolean,
): Promise<(ClaimedRun & { is_active: boolean }) | undefined> {
  const isDefault = 'agentId' in run.thread
  const threadId = 'agentId' in run.thread ? run.thread.agentId : run.thread.conversationId
  const [row] = await db.query<ClaimedRun & { is_active: boolean }>(isDefault ? startInDefault : startInConversation, [
    run.organizationId,
    threadId,
    run.runId,
    JSON.stringify(run.request),
    JSON.stringify(run.input),
    run.background,
    run.userId,
    JSON.stringify(run.metadata),
    run.callbackUrl,
    lease.owner,
    lease.leaseMs,
    canStart,
    run.onBusy === 'reject',
    JSON.stringify(run.keys ?? []),
    JSON.stringify(run.notices ?? []),
  ])
  return row
}
