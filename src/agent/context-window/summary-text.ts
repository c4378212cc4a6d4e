import type { ContentPart } from '#llm/model.ts'
import { newOrderedId } from '#platform/ids.ts'
import { formatPromptTime } from '#platform/time-format.ts'
import type { NewMessage } from '#store/messages/message-row.ts'

/** What a compaction did, as the wire has it. */
export interface CompactionStats {
  trigger: CompactionTrigger
  context_tokens_before: number
  context_tokens_after: number
  context_window: number
  messages_count_before: number
  messages_count_after: number
}

/** The first is V1's word for a context that is nearly full; here that is looked at before each call of the model. */
export type CompactionTrigger = 'post_step_context_check' | 'context_window_exceeded' | 'manual'

/** What stands for the messages that have left the context. */
export interface SummaryContent {
  /** Empty where there is none. */
  summary: string
  /** How many messages left without being summarised. */
  leftOut: number
}

const INTRODUCTION =
  'Earlier messages of this conversation are not shown any more, since the context window has an end. All of them are kept: conversation_search finds what they said.'
const SUMMARY_FOLLOWS = '\nSummary of the earlier messages:\n'

const noteOf = (leftOut: number): string =>
  leftOut === 0
    ? ''
    : `\n${leftOut === 1 ? '1 earlier message was' : `${leftOut} earlier messages were`} left out without a summary: ask conversation_search before you say that something was never mentioned.`

/** The message that stands for what has left, in the envelope that V1 gave it. */
export function toSummaryMessage(
  content: SummaryContent,
  stats: CompactionStats,
  { timezone, now }: { timezone: string; now: Date },
): NewMessage {
  const message = toMessageText(content)
  const envelope = {
    type: 'system_alert',
    message,
    time: formatPromptTime(now, timezone),
    left_out: content.leftOut,
    compaction_stats: stats,
  }
  return {
    id: newOrderedId('message'),
    role: 'summary',
    content: [{ type: 'text', text: JSON.stringify(envelope) }],
    // what it says is found in the messages themselves
    search_text: null,
  }
}

export const toMessageText = ({ summary, leftOut }: SummaryContent): string =>
  `${INTRODUCTION}${noteOf(leftOut)}${summary === '' ? '' : SUMMARY_FOLLOWS + summary}`

/** What a stored summary says; one that others have written (an imported agent's) is taken as it is. */
export function readSummaryMessage(
  content: readonly ContentPart[],
): SummaryContent & { message: string; stats: CompactionStats | null } {
  const text = content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n')
  const envelope = parseEnvelope(text)
  if (typeof envelope?.message !== 'string') return { summary: text, leftOut: 0, message: text, stats: null }
  const { message, left_out: leftOut, compaction_stats: stats } = envelope
  const at = message.indexOf(SUMMARY_FOLLOWS)
  const isOwn = message.startsWith(INTRODUCTION)
  const summary = isOwn ? (at < 0 ? '' : message.slice(at + SUMMARY_FOLLOWS.length)) : message
  const known = stats == null ? null : (stats as CompactionStats)
  return { summary, leftOut: typeof leftOut === 'number' ? leftOut : 0, message, stats: known }
}

function parseEnvelope(text: string): Record<string, unknown> | undefined {
  if (!text.startsWith('{')) return undefined
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return undefined
  }
}
