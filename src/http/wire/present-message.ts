import { readSummaryMessage } from '#agent/context-window/summary-text.ts'
import type { ContentPart, TextPart, ToolCallPart } from '#llm/model.ts'
import { parseToolArguments } from '#llm/parse-tool-arguments.ts'
import type { MessageRow, ToolReturn } from '#store/messages/message-row.ts'

/** Fields that every message on the wire has. */
interface MessageBase {
  id: string
  date: string
  name: string | null
  otid: string | null
  sender_id: string | null
  step_id: string | null
  is_err: boolean | null
  seq_id: number | null
  run_id: string | null
}

export interface MessageWire extends MessageBase {
  message_type: string
  [field: string]: unknown
}

/** How the client wants to read messages: the wire's `request_config`. */
export interface MessageView {
  /** True where summaries and what they are made for are shown as what they are. */
  include_compaction_messages?: boolean
  include_return_message_types?: string[] | null
  /** Calls of the tool by which an agent speaks are shown as what it says; so they are unless told. */
  use_assistant_message?: boolean | null
  assistant_message_tool_name?: string | null
  assistant_message_tool_kwarg?: string | null
}

/** The tool by which an agent speaks, and the argument with its words; null where calls of it are shown as calls. */
export function voiceOf(view: MessageView): { tool: string; argument: string } | null {
  if (view.use_assistant_message === false) return null
  return {
    tool: view.assistant_message_tool_name ?? 'send_message',
    argument: view.assistant_message_tool_kwarg ?? 'message',
  }
}

/**
 * The id of the k-th wire message that one stored message becomes: its uuid with the last two digits replaced by k, so that
 * clients can tell the parts apart and put them in order.
 */
export function otidOf(messageId: string, part: number): string {
  const uuid = messageId.slice(messageId.indexOf('-') + 1)
  return uuid.slice(0, -2) + part.toString(16).padStart(2, '0')
}

/** A request for an approval is one message, and known by its own uuid. */
export const otidOfRequest = (messageId: string): string => messageId.slice(messageId.indexOf('-') + 1)

export function messageBase(message: MessageRow, part: number): MessageBase {
  return {
    id: message.id,
    date: message.created_at.toISOString(),
    name: message.name,
    otid: otidOf(message.id, part),
    sender_id: message.sender_id,
    step_id: message.step_id,
    is_err: message.is_err,
    seq_id: null,
    run_id: message.run_id,
  }
}

const textOf = (content: readonly ContentPart[]): string =>
  content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('')

/** Plain text as a string, anything else as parts. */
function presentContent(content: readonly ContentPart[]): unknown {
  const [only] = content
  if (content.length === 0) return ''
  if (content.length === 1 && only?.type === 'text') return only.text
  return content.flatMap((part): object[] => {
    if (part.type === 'text') return [{ type: 'text', text: part.text, signature: null }]
    return part.type === 'image' ? [{ type: 'image', source: part.source }] : []
  })
}

/** What is said with a call; undefined for a call that says nothing, or nothing that can be read. */
function wordsOf(call: ToolCallPart, view: MessageView): string | undefined {
  const voice = voiceOf(view)
  if (voice === null || call.name !== voice.tool) return undefined
  const args = parseToolArguments(call.arguments)
  const words = args.ok ? args.value[voice.argument] : undefined
  return typeof words === 'string' ? words : undefined
}

/** Reasoning, text and tool calls of a model's message, in this order, each as a message of its own. */
function presentAssistant(message: MessageRow, view: MessageView): MessageWire[] {
  const wires: MessageWire[] = []
  const add = (fields: { message_type: string } & Record<string, unknown>) =>
    wires.push({ ...messageBase(message, wires.length), ...fields })
  for (const part of message.content) {
    if (part.type === 'reasoning') {
      add({
        message_type: 'reasoning_message',
        source: 'reasoner_model',
        reasoning: part.reasoning,
        signature: part.signature ?? null,
      })
    } else if (part.type === 'redacted_reasoning') {
      add({ message_type: 'hidden_reasoning_message', state: 'redacted', hidden_reasoning: null })
    }
  }
  const texts = message.content.filter((part): part is TextPart => part.type === 'text')
  const thoughts = texts.filter((part) => part.is_thought === true)
  if (thoughts.length > 0) {
    const reasoning = thoughts.map((part) => part.text).join('\n')
    add({ message_type: 'reasoning_message', source: 'non_reasoner_model', reasoning, signature: null })
  }
  const said = texts.filter((part) => part.is_thought !== true)
  if (said.length > 0) add({ message_type: 'assistant_message', content: textOf(said) })
  const calls = (message.tool_calls ?? []).filter((call) => wordsOf(call, view) === undefined).map(presentCall)
  if (calls.length > 0) add({ message_type: 'tool_call_message', tool_call: calls[0], tool_calls: calls })
  for (const call of message.tool_calls ?? []) {
    const content = wordsOf(call, view)
    if (content !== undefined) add({ message_type: 'assistant_message', content })
  }
  return wires
}

const presentCall = ({ name, arguments: args, tool_call_id }: ToolCallPart) => ({ name, arguments: args, tool_call_id })

/** That something was said is no news: what it says is shown. A call that failed is told. */
const isOfVoice = (result: ToolReturn, view: MessageView): boolean =>
  result.status === 'success' && voiceOf(view)?.tool === result.name

function presentToolReturns(message: MessageRow, view: MessageView): MessageWire[] {
  const shown = (message.tool_returns ?? []).filter((result) => !isOfVoice(result, view))
  const returns = shown.map((result) => ({
    type: 'tool',
    tool_return: result.images === undefined ? result.text : [{ type: 'text', text: result.text }, ...result.images],
    status: result.status,
    tool_call_id: result.tool_call_id,
    stdout: result.stdout,
    stderr: result.stderr,
  }))
  const [first] = returns
  if (first === undefined) return []
  const { status, tool_call_id, stdout, stderr } = first
  return [
    {
      ...messageBase(message, 0),
      name: shown[0]?.name ?? null,
      message_type: 'tool_return_message',
      tool_return: shown[0]?.text ?? '',
      status,
      tool_call_id,
      stdout,
      stderr,
      tool_returns: returns,
    },
  ]
}

/**
 * A summary is read as something that the user said, as in V1, unless the reader asks for summaries, or somebody has asked for this
 * one.
 */
const showsSummary = ({ run_id }: MessageRow, view: MessageView): boolean =>
  run_id === null ||
  view.include_compaction_messages === true ||
  (view.include_return_message_types?.includes('summary_message') ?? false)

function presentSummary(message: MessageRow): MessageWire {
  const { message: summary, stats } = readSummaryMessage(message.content)
  return { ...messageBase(message, 0), message_type: 'summary_message', summary, compaction_stats: stats }
}

function presentRequest(message: MessageRow): MessageWire {
  const calls = (message.tool_calls ?? []).map(presentCall)
  const otid = otidOfRequest(message.id)
  const base = { ...messageBase(message, 0), otid, message_type: 'approval_request_message' }
  return { ...base, tool_call: calls[0], tool_calls: calls }
}

function presentAnswer(message: MessageRow): MessageWire {
  const approvals = message.approvals ?? []
  const [first] = approvals
  return {
    ...messageBase(message, 0),
    otid: message.otid ?? otidOf(message.id, 0),
    message_type: 'approval_response_message',
    approvals,
    approve: first?.type === 'approval' ? first.approve : null,
    // the id of the first call, as V1 gave it
    approval_request_id: first?.tool_call_id ?? null,
    reason: first?.type === 'approval' ? first.reason : null,
  }
}

/** One stored message as the messages of the wire, which share its id. */
export function presentMessage(message: MessageRow, view: MessageView = {}): MessageWire[] {
  if (message.role === 'assistant') return presentAssistant(message, view)
  if (message.role === 'tool') return presentToolReturns(message, view)
  if (message.role === 'approval')
    return message.tool_calls === null ? [presentAnswer(message)] : [presentRequest(message)]
  if (message.role === 'note') return []
  if (message.role === 'summary' && showsSummary(message, view)) return [presentSummary(message)]
  const base = { ...messageBase(message, 0), otid: message.otid ?? otidOf(message.id, 0) }
  if (message.role === 'system') return [{ ...base, message_type: 'system_message', content: textOf(message.content) }]
  return [{ ...base, message_type: 'user_message', content: presentContent(message.content) }]
}

/** A list of stored messages as the wire gives it, less the types that the client does not want. */
export function presentMessages(messages: readonly MessageRow[], view: MessageView = {}): MessageWire[] {
  return messages
    .flatMap((message) => presentMessage(message, view))
    .filter((message) => isWanted(message.message_type, view))
}

/** True unless the client named the types it wants and this is none of them. */
export function isWanted(messageType: string, view: MessageView): boolean {
  const types = view.include_return_message_types
  return types == null || types.includes(messageType)
}
