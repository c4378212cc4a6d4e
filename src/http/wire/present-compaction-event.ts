import { readSummaryMessage } from '#agent/context-window/summary-text.ts'
import type { RunEvent } from '#runs/run-events.ts'
import type { MessageRow } from '#store/messages/message-row.ts'
import { type MessageWire, otidOf } from './present-message.ts'

type CompactionEvent = Extract<RunEvent, { type: 'compaction' }>

/** What tells a stream that a context is being compacted; the summary comes later. It is no message of the conversation. */
export function presentCompactionEvent(event: CompactionEvent, runId: string | null): MessageWire {
  return {
    id: event.id,
    date: event.at,
    name: null,
    otid: otidOf(event.id, 0),
    sender_id: null,
    step_id: null,
    is_err: null,
    seq_id: null,
    run_id: runId,
    message_type: 'event_message',
    event_type: 'compaction',
    event_data: {
      trigger: event.trigger,
      context_token_estimate: event.contextTokens,
      context_window: event.contextWindow,
    },
  }
}

/** The same, told afterwards from what the summary says of its making; nothing for other messages. */
export function presentCompactionOf(row: MessageRow): MessageWire[] {
  const stats = row.role === 'summary' ? readSummaryMessage(row.content).stats : null
  if (stats === null) return []
  const event: CompactionEvent = {
    type: 'compaction',
    id: `message-${otidOf(row.id, 1)}`,
    trigger: stats.trigger,
    contextTokens: stats.context_tokens_before,
    contextWindow: stats.context_window,
    at: row.created_at.toISOString(),
  }
  return [presentCompactionEvent(event, row.run_id)]
}
