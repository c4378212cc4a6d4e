import { presentCompactionEvent } from '#http/wire/present-compaction-event.ts'
import {
  isWanted,
  type MessageView,
  type MessageWire,
  otidOf,
  otidOfRequest,
  presentMessage,
} from '#http/wire/present-message.ts'
import { newId } from '#platform/ids.ts'
import type { RunEvent, RunFailure } from '#runs/run-events.ts'
import { presentUsage } from './present-usage.ts'

/** One event of the wire's stream; `isError` ones are sent as `event: error`. */
export interface StreamChunk {
  data: Record<string, unknown>
  /** Its number in the stream of the run. */
  seq: number
  isError: boolean
}

type Delta = Extract<RunEvent, { type: 'reasoning-delta' | 'text-delta' | 'tool-call-delta' }>

/** The first event of a stream, and its sign of life: it carries the run's id and the number of what came before it. */
export function presentPing(runId: string, lastSeq: number): Record<string, unknown> {
  return {
    id: newId('ping'),
    date: new Date().toISOString(),
    name: null,
    message_type: 'ping',
    otid: null,
    sender_id: null,
    step_id: null,
    is_err: null,
    seq_id: lastSeq === 0 ? null : lastSeq,
    run_id: runId,
  }
}

function presentDelta(event: Delta, runId: string, seq: number): MessageWire & { message_type: string } {
  const base = {
    id: event.messageId,
    date: new Date().toISOString(),
    name: null,
    otid: otidOf(event.messageId, event.part),
    sender_id: null,
    step_id: event.stepId,
    is_err: null,
    seq_id: seq,
    run_id: runId,
  }
  if (event.type === 'text-delta') return { ...base, message_type: 'assistant_message', content: event.text }
  if (event.type === 'reasoning-delta') {
    return {
      ...base,
      message_type: 'reasoning_message',
      source: event.isThought ? 'non_reasoner_model' : 'reasoner_model',
      reasoning: event.text,
      signature: null,
    }
  }
  const call = { name: event.name, arguments: event.argumentsDelta, tool_call_id: event.toolCallId }
  if (event.isAsked) {
    const otid = otidOfRequest(event.messageId)
    return { ...base, otid, message_type: 'approval_request_message', tool_call: call, tool_calls: call }
  }
  return { ...base, message_type: 'tool_call_message', tool_call: call, tool_calls: call }
}

function presentFailure(failure: RunFailure): Record<string, unknown> {
  return {
    message_type: 'error_message',
    error_type: failure.type,
    message: failure.message,
    detail: failure.detail,
  }
}

const NOTHING: StreamChunk[] = []

/**
 * Turns the events of one run into the wire's stream: whole messages after each step, or, with `hasTokens`, pieces while
 * they come (and then not the whole again). What the client has already, up to `after`, is left out.
 */
export function createStreamPresenter(options: {
  runId: string
  hasTokens: boolean
  view: MessageView
  after: number
}): (event: RunEvent, seq: number) => StreamChunk[] {
  const { runId, hasTokens, view, after } = options
  const showsCompaction = view.include_compaction_messages === true
  const wanted = (message: { message_type?: unknown }): boolean => isWanted(String(message.message_type), view)

  return (event, firstSeq) => {
    // most of all events are pieces of text: one object each
    if (event.type === 'text-delta' || event.type === 'reasoning-delta' || event.type === 'tool-call-delta') {
      if (!hasTokens || firstSeq <= after) return NOTHING
      const data = presentDelta(event, runId, firstSeq)
      return wanted(data) ? [{ data, seq: firstSeq, isError: false }] : NOTHING
    }
    const chunks: StreamChunk[] = []
    const add = (data: Record<string, unknown>, isError = false): void => {
      const seq = firstSeq + chunks.length
      chunks.push({ data: { ...data, run_id: runId, seq_id: seq }, seq, isError })
    }
    if (event.type === 'compaction') {
      if (showsCompaction) add(presentCompactionEvent(event, runId))
    } else if (event.type === 'message' && (event.message.role !== 'summary' || showsCompaction)) {
      for (const message of afterDeltas(presentMessage(event.message, view), hasTokens && event.hasDeltas === true))
        add(message)
    } else if (event.type === 'run-end') {
      add({ message_type: 'stop_reason', stop_reason: event.stopReason })
      if (event.error === null) add(presentUsage(event.usage, event.stepCount, event.companionRunIds))
      else add(presentFailure(event.error), true)
      return chunks.filter(({ seq }) => seq > after)
    }
    return chunks.filter(({ data, seq }) => seq > after && wanted(data))
  }
}

/** Of a message whose text went out in pieces only what those could not carry: signatures and hidden reasoning. */
function afterDeltas(messages: MessageWire[], wasStreamed: boolean): MessageWire[] {
  if (!wasStreamed) return messages
  return messages
    .filter((message) => message.message_type === 'hidden_reasoning_message' || typeof message.signature === 'string')
    .map((message) => (message.message_type === 'reasoning_message' ? { ...message, reasoning: '' } : message))
}
