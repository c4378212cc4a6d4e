import type { Queryable } from '#store/db.ts'
import { findRunEnd } from '#store/runs/find-run-end.ts'
import { listRunMessages } from '#store/runs/run-message-reader.ts'
import type { RunListener } from './run-events.ts'
import { emptyUsage } from './usage.ts'

/** More messages than a run of the most steps has. */
const MAX_MESSAGES = 10_000

/** Tells a listener what a run said and how it ended, when another process has worked on it. The run must have ended. */
export async function tellRunEnd(
  db: Queryable,
  organizationId: string,
  runId: string,
  emit: RunListener,
): Promise<void> {
  const end = await findRunEnd(db, organizationId, runId)
  if (end === undefined) {
    const error = { type: 'internal_error', message: 'The agent was deleted.', detail: null, cause: null }
    emit({ type: 'run-end', stopReason: 'error', usage: emptyUsage(), stepCount: 0, error })
    return
  }
  const messages = await listRunMessages(db, organizationId, { runId }, { limit: MAX_MESSAGES, order: 'asc' })
  for (const message of messages) {
    if (message.role === 'assistant' || message.role === 'tool') emit({ type: 'message', message })
  }
  emit({
    type: 'run-end',
    stopReason: end.stop_reason ?? 'error',
    usage: { ...emptyUsage(), ...end.usage },
    stepCount: end.step_count,
    error: end.error === null ? null : { ...end.error, cause: null },
  })
}
