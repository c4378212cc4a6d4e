import { newOrderedId } from '#platform/ids.ts'
import { formatPromptTime } from '#platform/time-format.ts'
import type { NewMessage } from '#store/messages/message-row.ts'

/** A message that stands in the thread from the beginning, as a client sends it. */
export interface InitialMessage {
  role: 'user' | 'system' | 'assistant'
  content: string | readonly { type: string; text?: string }[]
  name?: string | null | undefined
  otid?: string | null | undefined
  sender_id?: string | null | undefined
}

/**
 * What people and the system said is stored in an envelope with the time, as V1 did for these messages alone; what the agent
 * said is stored as it is.
 */
export function packageInitialMessages(messages: readonly InitialMessage[], timezone: string, now: Date): NewMessage[] {
  return messages.map(({ role, content, name, otid, sender_id }) => {
    const text = textOf(content)
    return {
      id: newOrderedId('message'),
      role: role === 'assistant' ? 'assistant' : 'user',
      content: [{ type: 'text', text: role === 'assistant' ? text : envelope(role, text, timezone, now) }],
      name: name ?? null,
      otid: otid ?? null,
      sender_id: sender_id ?? null,
      search_text: text,
    }
  })
}

const textOf = (content: InitialMessage['content']): string =>
  typeof content === 'string' ? content : content.map((part) => part.text ?? '').join('\n')

function envelope(role: 'user' | 'system', message: string, timezone: string, now: Date): string {
  const type = role === 'user' ? 'user_message' : 'system_alert'
  return JSON.stringify({ type, message, time: formatPromptTime(now, timezone) })
}
