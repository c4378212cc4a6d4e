import type { EventBatch } from '#store/run-events/event-batch.ts'
import type { LoggedEvent, RunEvent } from './run-events.ts'

/** An event with the number of its first chunk in the stream. */
export interface SequencedEvent<Event = LoggedEvent> {
  seq: number
  event: Event
}

/** A message or an end as it stands in the log: its content lies in its own table. */
export type EventReference =
  | { type: 'message-reference'; messageId: string; hasDeltas: boolean }
  | { type: 'end-reference' }
export type StoredEvent = Exclude<LoggedEvent, { type: 'message' | 'run-end' }> | EventReference

type Delta = Extract<RunEvent, { type: 'text-delta' | 'reasoning-delta' | 'tool-call-delta' }>

/**
 * Each owner of a run numbers from here on: a run that was taken over never gives a number twice, although what its former
 * owner told last may not have been stored. No owner gets as far as the next one's range.
 */
const SEQS_PER_OWNER = 100_000_000
/** stop_reason, then usage or error. */
const END_SPAN = 2

/** The number before the first of this owner. */
export const firstSeqBefore = (leaseToken: number): number => Math.max(leaseToken - 1, 0) * SEQS_PER_OWNER
/** The number before the first of whoever gave this number. */
const rangeOf = (seq: number): number => Math.floor((seq - 1) / SEQS_PER_OWNER) * SEQS_PER_OWNER

/** True where a reader that has everything up to the cursor misses nothing before this event. */
export const follows = (cursor: number, firstSeq: number): boolean =>
  firstSeq <= cursor + 1 || firstSeq === rangeOf(firstSeq) + 1

/** How many chunks of the wire an event may become: as many numbers it takes. */
export function spanOf(event: LoggedEvent): number {
  if (event.type === 'run-end') return END_SPAN
  if (event.type !== 'message') return 1
  const { content, tool_calls } = event.message
  return content.length + (tool_calls?.length ?? 0) + 1
}

/** The log of a run that was cancelled before anybody worked on it. */
export const END_OF_QUEUED_RUN: EventBatch = { first_seq: 1, last_seq: END_SPAN, events: `[["end",${END_SPAN}]]` }

const DELTA_KINDS = { 'text-delta': 'text', 'reasoning-delta': 'reason', 'tool-call-delta': 'call' } as const

/** What pieces of one message part have in common, and the list of the pieces: `[kind, …, [piece, piece]]`. */
type Group = [string, ...(string | number | string[])[]]

function kindOf(event: Delta): string {
  if (event.type === 'reasoning-delta' && event.isThought) return 'thought'
  return event.type === 'tool-call-delta' && event.isAsked ? 'ask' : DELTA_KINDS[event.type]
}

const headOf = (event: Delta): (string | number)[] => [
  kindOf(event),
  event.messageId,
  event.stepId,
  event.part,
  ...(event.type === 'tool-call-delta' ? [event.toolCallId, event.name] : []),
]

/** True for pieces of one part, which have the same head. */
function isOfSamePart(one: Delta | undefined, other: Delta): boolean {
  if (one === undefined || one.type !== other.type || one.messageId !== other.messageId || one.part !== other.part)
    return false
  if (one.stepId !== other.stepId || kindOf(one) !== kindOf(other)) return false
  if (one.type !== 'tool-call-delta' || other.type !== 'tool-call-delta') return true
  return one.toolCallId === other.toolCallId && one.name === other.name
}

/** Events that follow each other without a gap, as one row of the log. Throws where there are none. */
export function encodeEvents(entries: readonly SequencedEvent[]): EventBatch {
  const first = entries[0]
  const last = entries.at(-1)
  if (first === undefined || last === undefined) throw new Error('a batch has at least one event')
  const items: unknown[] = []
  let before: Delta | undefined
  let pieces: string[] = []
  for (const { event } of entries) {
    if (event.type === 'message' || event.type === 'run-end') {
      before = undefined
      const span = spanOf(event)
      items.push(
        event.type === 'message' ? ['message', span, event.message.id, event.hasDeltas ?? false] : ['end', span],
      )
      continue
    }
    if (event.type === 'compaction') {
      before = undefined
      items.push(['compaction', event])
      continue
    }
    if (!isOfSamePart(before, event)) {
      pieces = []
      items.push([...headOf(event), pieces])
    }
    before = event
    pieces.push(event.type === 'tool-call-delta' ? event.argumentsDelta : event.text)
  }
  const last_seq = last.seq + spanOf(last.event) - 1
  return { first_seq: first.seq, last_seq, events: JSON.stringify(items) }
}

/** The events of a row, oldest first. */
export function decodeEvents(batch: EventBatch): SequencedEvent<StoredEvent>[] {
  const entries: SequencedEvent<StoredEvent>[] = []
  let seq = batch.first_seq
  for (const group of JSON.parse(batch.events) as Group[]) {
    const [kind] = group
    if (kind === 'message') {
      const [, span, messageId, hasDeltas] = group as unknown as [string, number, string, boolean]
      entries.push({ seq, event: { type: 'message-reference', messageId, hasDeltas } })
      seq += span
    } else if (kind === 'compaction') {
      entries.push({ seq, event: group[1] as unknown as StoredEvent })
      seq += 1
    } else if (kind === 'end') {
      entries.push({ seq, event: { type: 'end-reference' } })
      seq += group[1] as number
    } else {
      for (const piece of group.at(-1) as string[]) {
        entries.push({ seq, event: decodeDelta(group, piece) })
        seq += 1
      }
    }
  }
  return entries
}

function decodeDelta(group: Group, piece: string): Delta {
  const [kind, messageId, stepId, part, toolCallId, name] = group as [string, string, string, number, string, string]
  const base = { messageId, stepId, part }
  if (kind === 'ask')
    return { type: 'tool-call-delta', ...base, toolCallId, name, argumentsDelta: piece, isAsked: true }
  if (kind === 'call') return { type: 'tool-call-delta', ...base, toolCallId, name, argumentsDelta: piece }
  if (kind === 'thought') return { type: 'reasoning-delta', ...base, text: piece, isThought: true }
  return { type: kind === 'text' ? 'text-delta' : 'reasoning-delta', ...base, text: piece }
}
