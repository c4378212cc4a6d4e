import { newOrderedId } from '#platform/ids.ts'
import type { MessageRow, NewMessage } from '#store/messages/message-row.ts'

const INSTRUCTIONS = `<system-reminder>You are a sleeptime agent: you work in the background, and nobody reads what you answer. Below is what another agent and its user said since you worked last. Bring the memory blocks that you share with that agent up to date, then finish.</system-reminder>`

/** Characters of one message, and of all; of what is longer the beginning is kept, and of all the newest. */
const MAX_LINE_CHARS = 8_000
const MAX_CHARS = 60_000

/** What a companion is told: one message of the user, with what was said. Undefined where nothing was. */
export function companionInput(messages: readonly MessageRow[]): NewMessage | undefined {
  const lines: string[] = []
  let chars = 0
  for (const line of messages.flatMap(linesOf).toReversed()) {
    chars += line.length
    if (chars > MAX_CHARS) break
    lines.unshift(line)
  }
  if (lines.length === 0) return undefined
  const text = `${INSTRUCTIONS}\n\nMessages:\n${lines.join('\n')}`
  return { id: newOrderedId('message'), role: 'user', content: [{ type: 'text', text }], search_text: null }
}

/** What people and models said and which tools were called; prompts, notes and reasoning are no part of it. */
function linesOf(message: MessageRow): string[] {
  const time = message.created_at.toISOString()
  const say = (who: string, text: string) => (text.trim() === '' ? [] : [`[${time}] ${who}: ${shorten(text)}`])
  const text = message.content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n')
  if (message.role === 'user') return say('user', text)
  if (message.role === 'assistant') {
    const calls = (message.tool_calls ?? []).map(
      (call) => `[${time}] assistant calls ${call.name}: ${shorten(call.arguments)}`,
    )
    return [...say('assistant', text), ...calls]
  }
  if (message.role !== 'tool') return []
  return (message.tool_returns ?? []).flatMap((result) => say(`result of ${result.name}`, result.text))
}

const shorten = (text: string): string =>
  text.length <= MAX_LINE_CHARS ? text : `${text.slice(0, MAX_LINE_CHARS).toWellFormed()}…`
