import { newOrderedId } from '#platform/ids.ts'
import { formatPromptTime } from '#platform/time-format.ts'
import type { MessageRow, NewMessage } from '#store/messages/message-row.ts'

const HIDDEN = '[This is an automated system message hidden from the user] '

/** Why the loop goes on, in the words that clients of V1 know. */
export const HEARTBEAT = {
  requested: 'Function called using request_heartbeat=true, returning control',
  failed: 'Function call failed, returning control',
  child: 'Continuing: child tool rule.',
  continue: 'Continuing: continue tool rule.',
  violation: 'Continuing: tool rule violation.',
} as const

const DEMAND = 'ToolRuleViolated: You must call '

export const demandOf = (names: readonly string[]): string =>
  `${DEMAND}${names.join(', ')} at least once to exit the loop.`

/** A message in the user's place that lets the model go on. */
export function heartbeatMessage(reason: string, timezone: string, now = new Date()): NewMessage {
  const text = JSON.stringify({ type: 'heartbeat', reason: HIDDEN + reason, time: formatPromptTime(now, timezone) })
  return { id: newOrderedId('message'), role: 'user', content: [{ type: 'text', text }], search_text: null }
}

/** True where the model was told that it must call a tool before it may end. */
export function isDemand(row: MessageRow | undefined): boolean {
  const [part] = row?.role === 'user' && row.otid === null ? row.content : []
  return part?.type === 'text' && part.text.startsWith(`{"type":"heartbeat","reason":"${HIDDEN}${DEMAND}`)
}
