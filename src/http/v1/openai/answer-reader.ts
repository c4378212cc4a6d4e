import { isWanted, type MessageView, presentMessage } from '#http/wire/present-message.ts'
import type { RunEvent } from '#runs/run-events.ts'
import type { RunUsage, StopReason } from '#store/runs/run-row.ts'

/** What of a run is an answer to the user; calls of tools and their results are the agent's own. */
export type AnswerEvent =
  | { type: 'text'; messageId: string; text: string }
  | { type: 'reasoning'; text: string }
  /** Everything of this message was said. */
  | { type: 'message-end'; messageId: string }
  | AnswerEnd

export interface AnswerEnd {
  type: 'end'
  stopReason: StopReason
  usage: RunUsage
  failure: Error | undefined
}

/** Turns the events of one run into its answer: pieces while they come, and whole what did not come in pieces. */
export function createAnswerReader(view: MessageView): (event: RunEvent) => AnswerEvent[] {
  const said = new Map<string, string>()
  const hasReasoned = new Set<string>()
  return (event) => {
    if (event.type === 'text-delta') {
      said.set(event.messageId, (said.get(event.messageId) ?? '') + event.text)
      return [{ type: 'text', messageId: event.messageId, text: event.text }]
    }
    if (event.type === 'reasoning-delta') {
      hasReasoned.add(event.messageId)
      return [{ type: 'reasoning', text: event.text }]
    }
    if (event.type === 'run-end') {
      const { stopReason, usage, error } = event
      return [{ type: 'end', stopReason, usage, failure: error === null ? undefined : toError(error) }]
    }
    if (event.type !== 'message') return []
    const { id } = event.message
    const answer: AnswerEvent[] = []
    for (const wire of presentMessage(event.message).filter((message) => isWanted(message.message_type, view))) {
      if (wire.message_type === 'reasoning_message' && !hasReasoned.has(id)) {
        answer.push({ type: 'reasoning', text: String(wire.reasoning) })
      } else if (wire.message_type === 'assistant_message' && wire.content !== said.get(id)) {
        answer.push({ type: 'text', messageId: id, text: String(wire.content) })
      }
    }
    const hasText = said.has(id) || answer.some((part) => part.type === 'text')
    said.delete(id)
    return hasText ? [...answer, { type: 'message-end', messageId: id }] : answer
  }
}

const toError = ({ cause, message }: { cause: unknown; message: string }): Error =>
  cause instanceof Error ? cause : new Error(message)
