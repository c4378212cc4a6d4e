import { setTimeout as sleep } from 'node:timers/promises'
import { plainRequest } from '#agent/plain-request.ts'
import { derivedId, newOrderedId } from '#platform/ids.ts'
import type { RunEngine } from '#runs/run-engine.ts'
import { cancelRunThatAsked, type PendingThread } from '#store/conversations/pending-approvals.ts'
import { isUniqueViolation } from '#store/database-error.ts'
import type { Db } from '#store/db.ts'
import type { RunAnswer, StopReason } from '#store/runs/run-row.ts'
import type { NewRun } from '#store/runs/start-run.ts'

/** Whoever cancels waits so long for it to be done; it will be, however long it takes. */
const PATIENCE_MS = 10_000

/**
 * Denies what waits in a thread and ends its turn: by a run of its own, so that it is done whatever happens to this process, and
 * after whatever else works in the thread.
 * @returns false where something else has settled the request meanwhile
 */
export async function cancelPending(
  { db, runs }: { db: Db; runs: Pick<RunEngine, 'start'> },
  thread: PendingThread & { run_id: string },
  userId: string,
): Promise<boolean> {
  const ended = Promise.withResolvers<StopReason>()
  const run = denial(thread, userId, newOrderedId('run'), { isCancel: true })
  const started = await runs.start(run, (event) => {
    if (event.type === 'run-end') ended.resolve(event.stopReason)
  })
  if (started === undefined) return false
  const outcome = await Promise.race([ended.promise, sleep(PATIENCE_MS, 'accepted' as const, { ref: false })])
  started.follower?.close()
  if (outcome !== 'accepted' && outcome !== 'cancelled') return false
  await cancelRunThatAsked(db, thread.organization_id, thread.run_id)
  return true
}

/**
 * Denies what nobody has answered in time; the turn goes on. The same run on whichever replica comes first; where it fails, there is
 * another one in the next hour.
 */
export async function denyOverdue(
  runs: Pick<RunEngine, 'start'>,
  thread: PendingThread,
  reason: string,
): Promise<void> {
  const hour = new Date().toISOString().slice(0, 13)
  const runId = derivedId('run', `approval overdue ${thread.pending_approval_id} ${hour}`)
  const blanket = { requestId: thread.pending_approval_id, approve: false, reason }
  try {
    await runs.start(denial(thread, thread.created_by_id ?? '', runId, { blanket }))
  } catch (error) {
    if (!isUniqueViolation(error)) throw error
  }
}

function denial(
  thread: PendingThread,
  userId: string,
  runId: string,
  answer: Pick<RunAnswer, 'blanket' | 'isCancel'>,
): NewRun {
  return {
    organizationId: thread.organization_id,
    thread: { conversationId: thread.conversation_id },
    runId,
    request: {
      ...plainRequest(),
      answer: { messageId: newOrderedId('message'), otid: null, approvals: null, messages: [], ...answer },
    },
    input: [],
    background: true,
    userId,
    metadata: { run_type: answer.isCancel ? 'cancel_approval' : 'approval_timeout' },
    callbackUrl: null,
  }
}
