import type { ToolCallPart } from '#llm/model.ts'
import { newOrderedId } from '#platform/ids.ts'
import type { NewMessage, ToolReturn } from '#store/messages/message-row.ts'
import type { BundledMessage, BundledResult } from './bundle.ts'

/** A message with the time at which it was said, ISO 8601. */
export type ImportedMessage = NewMessage & { created_at: string }

/** Result of a call that the file has none for: it was cut off, or a person had not yet agreed to the call. */
const NO_RESULT = 'There is no result: the conversation was carried over to this server before the call was answered.'

/** What a call waits for, while the messages after it are read. */
interface Slot {
  call: ToolCallPart
  result: BundledResult | undefined
  isOfTool: boolean
  at: Date
}

/**
 * The rows that a history of messages becomes: each call has exactly one result, in the message after it; results without a
 * call, answers to requests for approval (their calls' results tell them) and empty messages are gone. Ids are new.
 * @param now what is in the future is set back to it, since the months to come have their place in the database
 */
export function repairHistory(messages: readonly BundledMessage[], now: Date): ImportedMessage[] {
  const rows: { message: BundledMessage; at: Date; slots: Slot[] }[] = []
  const waiting = new Map<string, Slot>()
  let at = messages.find((message) => message.createdAt !== undefined)?.createdAt ?? now
  for (const message of messages) {
    at = message.createdAt ?? at
    if (at > now) at = now
    for (const result of message.results) answer(waiting.get(result.tool_call_id), result, message, at)
    if (message.toolCalls.length > 0) {
      const slots = openSlots(message.toolCalls, at)
      // a provider may use an id again: from here on, results are of this call
      for (const slot of slots) waiting.set(slot.call.tool_call_id, slot)
      rows.push({ message, at, slots })
    } else if (message.role !== 'tool' && message.role !== 'approval' && message.content.length > 0) {
      rows.push({ message, at, slots: [] })
    }
  }
  return rows.flatMap(({ message, at: saidAt, slots }) =>
    slots.length === 0
      ? [toRow(message, roleOf(message), saidAt, [])]
      : [
          toRow(
            message,
            'assistant',
            saidAt,
            slots.map((slot) => slot.call),
          ),
          toResults(slots),
        ],
  )
}

/** A slot for each call, under an id of its own. */
function openSlots(calls: readonly ToolCallPart[], at: Date): Slot[] {
  const unique = new Map(calls.map((call) => [call.tool_call_id, call]))
  return [...unique.values()].map((call) => ({ call, result: undefined, isOfTool: false, at }))
}

/** The first result counts; but a tool's own more than a person's answer to the request for approval. */
function answer(slot: Slot | undefined, result: BundledResult, message: BundledMessage, at: Date): void {
  const isOfTool = message.role === 'tool'
  if (slot === undefined || (slot.result !== undefined && (slot.isOfTool || !isOfTool))) return
  Object.assign(slot, { result, isOfTool, at })
}

/** A summary is a message like others here: the thread that it was the summary of is not this one. */
const roleOf = ({ role }: BundledMessage): NewMessage['role'] => (role === 'summary' ? 'user' : role)

function toRow(message: BundledMessage, role: NewMessage['role'], at: Date, calls: ToolCallPart[]): ImportedMessage {
  const text = message.content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n')
  return {
    id: newOrderedId('message'),
    role,
    content: message.content,
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
    name: message.name,
    model: message.model,
    otid: message.otid,
    sender_id: message.senderId,
    search_text: role === 'system' ? null : text,
    created_at: at.toISOString(),
  }
}

function toResults(slots: readonly Slot[]): ImportedMessage {
  const results = slots.map(toReturn)
  return {
    id: newOrderedId('message'),
    role: 'tool',
    content: [],
    tool_returns: results,
    search_text: results
      .filter((result) => !result.name.endsWith('_search'))
      .map((result) => result.text)
      .join('\n'),
    created_at: new Date(Math.max(...slots.map((slot) => slot.at.getTime()))).toISOString(),
  }
}

function toReturn({ call, result, at }: Slot): ToolReturn {
  const { status, text, stdout, stderr } = result ?? { status: 'error', text: NO_RESULT, stdout: null, stderr: null }
  return { tool_call_id: call.tool_call_id, name: call.name, status, text, stdout, stderr, time: at.toISOString() }
}
