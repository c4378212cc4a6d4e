import { isWanted, type MessageView, type MessageWire, otidOf, presentMessage } from '#http/wire/present-message.ts'
import { newId } from '#platform/ids.ts'
import type { RunEvent, RunFailure } from '#runs/run-events.ts'
import { presentUsage } from './present-usage.ts'

/** One event of the wire's stream; `isError` ones are sent as `event: error`. */
export interface StreamChunk {
  data: Record<string, unknown>
  isError: boolean
}

type Delta = Extract<RunEvent, { type: 'reasoning-delta' | 'text-delta' | 'tool-call-delta' }>

/** The first event of a stream, and its sign of life: it carries the run's id. */
export function presentPing(runId: string): Record<string, unknown> {
  return {
    id: newId('ping'),
    date: new Date().toISOString(),
    name: null,
    message_type: 'ping',
    otid: null,
    sender_id: null,
    step_id: null,
    is_err: null,
    seq_id: null,
    run_id: runId,
  }
}

function presentDelta(event: Delta, runId: string): MessageWire {
  const base = {
    id: event.messageId,
    date: new Date().toISOString(),
    name: null,
    otid: otidOf(event.messageId, event.part),
    sender_id: null,
    step_id: event.stepId,
    is_err: null,
    seq_id: null,
    run_id: runId,
  }
  if (event.type === 'text-delta') return { ...base, message_type: 'assistant_message', content: event.text }
  if (event.type === 'reasoning-delta') {
    return {
      ...base,
      message_type: 'reasoning_message',
      source: 'reasoner_model',
      reasoning: event.text,
      signature: null,
    }
  }
  const call = { name: event.name, arguments: event.argumentsDelta, tool_call_id: event.toolCallId }
  return { ...base, message_type: 'tool_call_message', tool_call: call, tool_calls: call }
}

function presentFailure(runId: string, failure: RunFailure): Record<string, unknown> {
  return {
    message_type: 'error_message',
    run_id: runId,
    error_type: failure.type,
    message: failure.message,
    detail: failure.detail,
    seq_id: null,
  }
}

/**
 * Turns the events of one run into the wire's stream: whole messages after each step, or, with `hasTokens`, pieces while
 * they come (and then not the whole again).
 */
export function createStreamPresenter(options: { runId: string; hasTokens: boolean; view: MessageView }) {
  const streamed = new Set<string>()
  const chunk = (data: Record<string, unknown>, isError = false): StreamChunk => ({ data, isError })
  const wanted = (message: MessageWire): boolean => isWanted(message.message_type, options.view)

  return (event: RunEvent): StreamChunk[] => {
    switch (event.type) {
      case 'text-delta':
      case 'reasoning-delta':
      case 'tool-call-delta': {
        if (!options.hasTokens) return []
        streamed.add(event.messageId)
        const delta = presentDelta(event, options.runId)
        return wanted(delta) ? [chunk(delta)] : []
      }
      case 'message':
        return afterDeltas(presentMessage(event.message), streamed.has(event.message.id))
          .filter(wanted)
          .map((data) => chunk(data))
      case 'run-end': {
        const stop = chunk({ message_type: 'stop_reason', stop_reason: event.stopReason })
        if (event.error !== null) return [stop, chunk(presentFailure(options.runId, event.error), true)]
        return [stop, chunk(presentUsage(event.usage, event.stepCount))]
      }
      default:
        return []
    }
  }
}

/** Of a message whose text went out in pieces only what those could not carry: signatures and hidden reasoning. */
function afterDeltas(messages: MessageWire[], wasStreamed: boolean): MessageWire[] {
  if (!wasStreamed) return messages
  return messages
    .filter((message) => message.message_type === 'hidden_reasoning_message' || typeof message.signature === 'string')
    .map((message) => (message.message_type === 'reasoning_message' ? { ...message, reasoning: '' } : message))
}
