import type { ContentPart, ImagePart, TextPart, ToolCallPart, ToolResultPart, TranscriptMessage } from '#llm/model.ts'
import { newOrderedId } from '#platform/ids.ts'
import { formatPromptTime } from '#platform/time-format.ts'
import type { MessageRow, NewMessage, ToolReturn } from '#store/messages/message-row.ts'
import { isRequest } from './approvals/find-pending.ts'
import { type Additions, putThoughtsBack } from './inner-thoughts.ts'

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

/** The rows as a turn of an agent sends them; no tool result takes more than a part of the context. */
export const toTurnTranscript = (
  rows: readonly MessageRow[],
  turn: { thread: { timezone: string }; budgetTokens: number; additions?: Additions },
): TranscriptMessage[] =>
  toTranscript(rows, {
    timezone: turn.thread.timezone,
    maxToolResultChars: Math.max(5_000, Math.floor(turn.budgetTokens * 0.2 * 4)),
    thinksInCalls: (turn.additions?.thinking.size ?? 0) > 0,
  })

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
  return { tool_call_id, name, status, text, ...(result.images === undefined ? {} : { images: result.images }) }
}

/** What the model said in one step: its message, and the request for an approval that belongs to it. */
interface Said {
  message: MessageRow
  content: ContentPart[]
  calls: ToolCallPart[]
  /** Rows that it takes up. */
  length: number
}

function saidAt(rows: readonly MessageRow[], index: number): Said | undefined {
  const message = rows[index]
  if (message === undefined || (message.role !== 'assistant' && !isRequest(message))) return undefined
  const { content } = message
  const calls = message.tool_calls ?? []
  const next = rows[index + 1]
  const isOfStep =
    message.role === 'assistant' && next !== undefined && isRequest(next) && next.step_id === message.step_id
  if (!isOfStep) return { message, content, calls, length: 1 }
  return { message, content, calls: [...calls, ...(next.tool_calls ?? [])], length: 2 }
}

/** The results that are stored for calls of a step: in the rows up to the model's next message. */
function storedResults(rows: readonly MessageRow[], from: number): ToolReturn[] {
  const found: ToolReturn[] = []
  for (const row of rows.slice(from)) {
    if (row.role === 'assistant' || isRequest(row)) break
    found.push(...(row.tool_returns ?? []))
  }
  return found
}

/** The calls in the order of their results, which is the one in which the model wrote them. */
function inOrder(calls: readonly ToolCallPart[], results: readonly ToolReturn[]): ToolCallPart[] {
  const placeOf = (call: ToolCallPart): number => {
    const place = results.findIndex((result) => result.tool_call_id === call.tool_call_id)
    return place < 0 ? results.length : place
  }
  return [...calls].sort((one, other) => placeOf(one) - placeOf(other))
}

/** Exactly one result for each call, whatever is stored. */
function resultsFor(
  calls: readonly ToolCallPart[],
  stored: readonly ToolReturn[],
  message: MessageRow,
  options: TranscriptOptions,
): ToolResultPart[] {
  return calls.map((call) => {
    const found = stored.find((result) => result.tool_call_id === call.tool_call_id)
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
  for (let index = 0; index < rows.length; index += 1) {
    const row = rows[index] as MessageRow
    const said = saidAt(rows, index)
    if (said !== undefined) {
      index += said.length - 1
      if (said.content.length === 0 && said.calls.length === 0) continue
      const stored = storedResults(rows, index + 1)
      const calls = isRequest(rows[index] as MessageRow) ? inOrder(said.calls, stored) : said.calls
      const shown = options.thinksInCalls ? putThoughtsBack(said.content, calls) : { content: said.content, calls }
      transcript.push({ role: 'assistant', content: shown.content, toolCalls: shown.calls })
      if (calls.length > 0) transcript.push({ role: 'tool', results: resultsFor(calls, stored, said.message, options) })
    } else if (row.role === 'note') {
      // in the place of the answer that did not come: some providers refuse two messages of the user in a row
      transcript.push({ role: 'assistant', content: row.content, toolCalls: [] })
    } else if (row.role === 'user' || row.role === 'summary' || row.role === 'system') {
      const content = row.content.filter(isUserPart)
      if (content.length > 0) transcript.push({ role: 'user', content })
    }
  }
  return transcript
}
