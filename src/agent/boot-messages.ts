import { newOrderedId } from '#platform/ids.ts'
import { formatPromptTime } from '#platform/time-format.ts'
import type { NewMessage } from '#store/messages/message-row.ts'
import { toThought } from './inner-thoughts.ts'

const THOUGHT = 'I have just woken up. My persona is loaded; let me see whether my voice carries.'
const FIRST_WORDS = 'Good to be here.'

/**
 * What stands in a new thread of an agent that speaks by a tool: it tries its voice once, so that the model has an example to
 * follow, and then the user arrives.
 */
export function bootMessages(timezone: string, now: Date): NewMessage[] {
  const toolCallId = newOrderedId('call')
  const name = 'send_message'
  const login = { type: 'login', last_login: 'Never (first login)', time: formatPromptTime(now, timezone) }
  return [
    {
      id: newOrderedId('message'),
      role: 'assistant',
      content: [toThought(THOUGHT)],
      tool_calls: [{ tool_call_id: toolCallId, name, arguments: JSON.stringify({ message: FIRST_WORDS }) }],
      search_text: null,
    },
    {
      id: newOrderedId('message'),
      role: 'tool',
      content: [],
      tool_returns: [
        {
          tool_call_id: toolCallId,
          name,
          status: 'success',
          text: 'Sent message successfully.',
          stdout: null,
          stderr: null,
          time: now.toISOString(),
        },
      ],
      search_text: null,
    },
    {
      id: newOrderedId('message'),
      role: 'user',
      content: [{ type: 'text', text: JSON.stringify(login) }],
      search_text: null,
    },
  ]
}
