import { notFound } from '#platform/errors.ts'
import type { Queryable } from '#store/db.ts'
import { listMessagesById } from '#store/messages/list-messages-by-id.ts'
import type { EventBatch } from '#store/run-events/event-batch.ts'
import { findRunEnd, type RunEnd } from '#store/runs/find-run-end.ts'
import { decodeEvents, type SequencedEvent } from './encode-events.ts'
import type { LoggedEvent } from './run-events.ts'
import { fromStoredFailure } from './stored-failure.ts'
import { emptyUsage } from './usage.ts'

/** The events of batches of one run, with the messages and the end that they refer to. What was deleted since is left out. */
export async function readRunEvents(
  db: Queryable,
  organizationId: string,
  runId: string,
  batches: readonly EventBatch[],
): Promise<SequencedEvent[]> {
  const stored = batches.flatMap(decodeEvents)
  const ids = stored.flatMap(({ event }) => (event.type === 'message-reference' ? [event.messageId] : []))
  const hasEnd = stored.some(({ event }) => event.type === 'end-reference')
  const [messages, end] = await Promise.all([
    ids.length > 0 ? listMessagesById(db, organizationId, ids) : [],
    hasEnd ? findRunEnd(db, organizationId, runId) : undefined,
  ])
  const byId = new Map(messages.map((message) => [message.id, message]))
  return stored.flatMap(({ seq, event }): SequencedEvent[] => {
    if (event.type === 'end-reference') return [{ seq, event: toEndEvent(end) }]
    if (event.type !== 'message-reference') return [{ seq, event }]
    const message = byId.get(event.messageId)
    return message === undefined ? [] : [{ seq, event: { type: 'message', message, hasDeltas: event.hasDeltas } }]
  })
}

/** The end of a run as it is stored; of a run that is gone, that it was deleted. */
export function toEndEvent(end: RunEnd | undefined): Extract<LoggedEvent, { type: 'run-end' }> {
  if (end === undefined) {
    // no fault: somebody wanted it
    const cause = notFound('The agent was deleted.')
    const error = { type: 'stream_incomplete', message: cause.message, detail: null, cause }
    return { type: 'run-end', stopReason: 'error', usage: emptyUsage(), stepCount: 0, error }
  }
  return {
    type: 'run-end',
    stopReason: end.stop_reason ?? 'error',
    usage: { ...emptyUsage(), ...end.usage },
    stepCount: end.step_count,
    error: end.error === null ? null : fromStoredFailure(end.error),
    companionRunIds: end.companion_run_ids,
  }
}
