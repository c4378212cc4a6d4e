import type { ModelReply, ToolCallPart } from '#llm/model.ts'
import { parseToolArguments } from '#llm/parse-tool-arguments.ts'
import { newOrderedId } from '#platform/ids.ts'
import type { NewMessage } from '#store/messages/message-row.ts'
import { takeThoughts, toThought } from './inner-thoughts.ts'
import type { Turn } from './open-turn.ts'
import type { StepReply } from './run-step.ts'
import { prefilledArguments } from './tool-rules/solve-tool-rules.ts'
import type { PastCall } from './tool-rules/tool-rule.ts'
import { turnHistory } from './tool-rules/turn-history.ts'

/** What a model's answer becomes: a message, and the calls in it that are to be executed. */
export interface Draft {
  message: NewMessage
  calls: ToolCallPart[]
  /** The answer was cut off by the limit of tokens. */
  isCut: boolean
  isEmpty: boolean
}

/** An answer as it will be stored: with ids that are unique, the calls that are wanted, and what is thought marked as such. */
export function draftAnswer(turn: Turn, { reply, messageId, stepId }: StepReply): Draft {
  // a reply that was cut off may hold half a call: nobody can say what it meant
  const isCut = reply.finishReason === 'length'
  const wanted = isCut ? [] : wantedCalls(turn, reply)
  const { thoughts, calls } = takeThoughts(wanted, turn.additions.thinking)
  const content = [...withThoughts(turn, reply.content), ...thoughts]
  const message: NewMessage = {
    id: messageId,
    role: 'assistant',
    content,
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
    model: turn.model.info.handle,
    step_id: stepId,
    search_text: searchText(turn, content, calls),
  }
  return { message, calls, isCut, isEmpty: content.length === 0 && calls.length === 0 }
}

function wantedCalls(turn: Turn, reply: ModelReply): ToolCallPart[] {
  const history = turnHistory(turn.rows.slice(turn.firstOwnRow))
  const count = turn.settings.parallel_tool_calls === false ? 1 : undefined
  return withOwnIds(turn, reply.toolCalls)
    .slice(0, count)
    .map((call) => prefill(turn, history, call))
}

/** Arguments that a rule sets take the place of those that the model wrote. */
function prefill(turn: Turn, history: readonly PastCall[], call: ToolCallPart): ToolCallPart {
  const set = prefilledArguments(turn.rules, history, call.name)
  const args = set === undefined ? undefined : parseToolArguments(call.arguments)
  if (args === undefined) return call
  return { ...call, arguments: JSON.stringify({ ...(args.ok ? args.value : {}), ...set }) }
}

const withThoughts = (turn: Turn, content: ModelReply['content']): ModelReply['content'] =>
  turn.offer.isThought
    ? content.map((part) => (part.type === 'text' ? { ...part, ...toThought(part.text) } : part))
    : content

/** Text, and what is said with the tool of the agent's voice. */
function searchText(turn: Turn, content: ModelReply['content'], calls: readonly ToolCallPart[]): string {
  const { assistant_message_tool_name: voice, assistant_message_tool_kwarg: argument } = turn.run.request.view
  const said = calls.flatMap((call) => {
    const args = call.name === voice ? parseToolArguments(call.arguments) : undefined
    const words = args?.ok ? args.value[argument] : undefined
    return typeof words === 'string' ? [words] : []
  })
  return [...content.flatMap((part) => (part.type === 'text' ? [part.text] : [])), ...said].join('\n')
}

/** Some servers number the calls of each reply anew, or not at all; providers refuse a transcript where two have one id. */
function withOwnIds(turn: Turn, calls: readonly ToolCallPart[]): ToolCallPart[] {
  const taken = new Set(turn.rows.flatMap((row) => (row.tool_calls ?? []).map((call) => call.tool_call_id)))
  return calls.map((call) => {
    const isOwn = call.tool_call_id !== '' && !taken.has(call.tool_call_id)
    const id = isOwn ? call.tool_call_id : newOrderedId('call')
    taken.add(id)
    return { ...call, tool_call_id: id }
  })
}
