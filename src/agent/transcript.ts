import type { ContentPart, ImagePart, TextPart, ToolResultPart, TranscriptMessage } from '#llm/model.ts'
import { newOrderedId } from '#platform/ids.ts'
import { formatPromptTime } from '#platform/time-format.ts'
import type { MessageRow, NewMessage, ToolReturn } from '#store/messages/message-row.ts'
import { putThoughtsBack } from './inner-thoughts.ts'

/** Result of a call that nobody has a result for: a crash of a tool that must not be run twice. */
const INTERRUPTED = 'The call was interrupted before it gave a result. Its effect may or may not have happened.'

/**
 * What a cancelled turn leaves behind after what was said in it. A message of its own, stored with the end of the run, so that
 * the beginning of the next prompt stays the same to the byte; no client is shown it.
 */
export const cancellationNote = (): NewMessage => ({
  id: newOrderedId('message'),
  role: 'note',
  content: [{ type: 'text', text: '[The user cancelled this turn before it was finished.]' }],
  search_text: null,
})

export interface TranscriptOptions {
  timezone: string
  /** Characters of one tool result that a model gets to read. */
  maxToolResultChars: number
  /** The model writes its thoughts into its calls, and reads them there. */
  thinksInCalls?: boolean
}

/** What a model reads of a tool's result. */
function packageResult(result: ToolReturn, options: TranscriptOptions): ToolResultPart {
  const { tool_call_id, name, status } = result
  const excess = result.text.length - options.maxToolResultChars
  const message =
    excess > 0 ? `${result.text.slice(0, options.maxToolResultChars)}... [truncated ${excess} chars]` : result.text
  const text = JSON.stringify({
    status: status === 'success' ? 'OK' : 'Failed',
    message,
    time: formatPromptTime(new Date(result.time), options.timezone),
  })
  return { tool_call_id, name, status, text }
}

/** The results of an assistant message's calls, in the order of the calls; one for each, whatever the next row holds. */
function resultsFor(message: MessageRow, next: MessageRow | undefined, options: TranscriptOptions): ToolResultPart[] {
  const returns = next?.role === 'tool' ? (next.tool_returns ?? []) : []
  return (message.tool_calls ?? []).map((call) => {
    const found = returns.find((result) => result.tool_call_id === call.tool_call_id)
    return packageResult(
      found ?? {
        tool_call_id: call.tool_call_id,
        name: call.name,
        status: 'error',
        text: INTERRUPTED,
        stdout: null,
        stderr: null,
        time: message.created_at.toISOString(),
      },
      options,
    )
  })
}

const isUserPart = (part: ContentPart): part is TextPart | ImagePart =>
  part.type === 'image' || (part.type === 'text' && part.text !== '')

/**
 * The rows of a thread as messages that every provider accepts, whatever happened while they were written: each call is
 * followed by exactly one result, results without a call are left out, and so are messages without content. Pure.
 * @param rows oldest first, without the thread's system message
 */
export function toTranscript(rows: readonly MessageRow[], options: TranscriptOptions): TranscriptMessage[] {
  const transcript: TranscriptMessage[] = []
  rows.forEach((row, index) => {
    if (row.role === 'assistant') {
      const toolCalls = row.tool_calls ?? []
      if (row.content.length === 0 && toolCalls.length === 0) return
      const said = options.thinksInCalls
        ? putThoughtsBack(row.content, toolCalls)
        : { content: row.content, calls: toolCalls }
      transcript.push({ role: 'assistant', content: said.content, toolCalls: said.calls })
      if (toolCalls.length > 0) transcript.push({ role: 'tool', results: resultsFor(row, rows[index + 1], options) })
    } else if (row.role === 'note') {
      // in the place of the answer that did not come: some providers refuse two messages of the user in a row
      transcript.push({ role: 'assistant', content: row.content, toolCalls: [] })
    } else if (row.role === 'user' || row.role === 'summary' || row.role === 'system') {
      const content = row.content.filter(isUserPart)
      if (content.length > 0) transcript.push({ role: 'user', content })
    }
  })
  return transcript
}
