import type { BundledMessage, BundledResult } from '#agent/agent-file/bundle.ts'
import type { ContentPart, ImagePart, ToolCallPart } from '#llm/model.ts'
import { corrupted } from './corrupted.ts'
import type { FileApproval, FileMessage, FileToolResult } from './file-schema.ts'

/** A message of a file. Throws invalid_argument with the place of what cannot be read. */
export function readMessage(message: FileMessage, place: string): BundledMessage {
  const { role } = message
  const parts =
    typeof message.content === 'string' ? [{ type: 'text', text: message.content }] : (message.content ?? [])
  const content: ContentPart[] = []
  const toolCalls: ToolCallPart[] = (message.tool_calls ?? []).map(readCall)
  const results: BundledResult[] = []
  for (const [index, part] of parts.entries()) {
    const read = readPart(part, `${place}.content[${index}]`)
    if (read === undefined) continue
    if ('call' in read) toolCalls.push(read.call)
    else if ('result' in read) results.push(read.result)
    else content.push(read)
  }
  if (role === 'tool') results.push(...readResults(message, content))
  else if (role === 'approval' && toolCalls.length === 0) results.push(...readApprovals(message))
  return {
    role,
    content: role === 'tool' ? [] : content,
    toolCalls: role === 'assistant' || role === 'approval' ? toolCalls : [],
    results,
    name: message.name ?? null,
    model: message.model ?? null,
    otid: message.otid ?? null,
    senderId: message.sender_id ?? null,
    createdAt: readTime(message.created_at, place),
  }
}

function readCall({ id, function: called, provider_metadata }: NonNullable<FileMessage['tool_calls']>[number]) {
  const call: ToolCallPart = { tool_call_id: id, name: called.name, arguments: called.arguments }
  if (provider_metadata != null) call.provider_metadata = provider_metadata as Record<string, Record<string, unknown>>
  return call
}

type Part = Record<string, unknown>
type ReadPart = ContentPart | { call: ToolCallPart } | { result: BundledResult } | undefined

function readPart(part: Part, place: string): ReadPart {
  const text = (field: string): string => {
    const value = part[field]
    if (typeof value === 'string') return value
    throw corrupted(`${place}.${field} must be a text.`)
  }
  const extra = isObject(part.provider_metadata)
    ? { provider_metadata: part.provider_metadata as Record<string, Record<string, unknown>> }
    : {}
  switch (part.type ?? 'text') {
    case 'text':
      return { type: 'text', text: text('text'), ...extra }
    case 'image':
      return { type: 'image', source: readImage(part.source, place) }
    case 'reasoning': {
      const signature = typeof part.signature === 'string' ? part.signature : null
      return { type: 'reasoning', reasoning: text('reasoning'), signature, ...extra }
    }
    case 'redacted_reasoning':
      return { type: 'redacted_reasoning', data: text('data'), ...extra }
    case 'tool_call': {
      const args = typeof part.input === 'string' ? part.input : JSON.stringify(part.input ?? {})
      return { call: { tool_call_id: text('id'), name: text('name'), arguments: args } }
    }
    case 'tool_return':
      return {
        result: {
          tool_call_id: text('tool_call_id'),
          status: part.is_error === true ? 'error' : 'success',
          text: unwrap(text('content')),
          stdout: null,
          stderr: null,
        },
      }
    // nothing that a model could read again
    case 'omitted_reasoning':
    case 'summarized_reasoning':
      return undefined
    default:
      throw corrupted(`${place}.type: there are no parts of the type ${JSON.stringify(part.type)?.slice(0, 100)}.`)
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function readImage(source: unknown, place: string): ImagePart['source'] {
  if (isObject(source)) {
    const { type, url, data, media_type: mediaType, file_id: fileId } = source
    if (type === 'url' && typeof url === 'string') return { type, url }
    if (typeof data === 'string' && typeof mediaType === 'string') {
      return { type: 'base64', media_type: mediaType, data }
    }
    if (type === 'letta' && typeof fileId === 'string') return { type, file_id: fileId }
  }
  throw corrupted(`${place}.source must be an image: a url, or base64 data with its media_type.`)
}

/** Results of a tool message: each in `tool_returns`, or, as the older files have it, one in the text. */
function readResults(message: FileMessage, content: readonly ContentPart[]): BundledResult[] {
  const text = content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n')
  const returns = message.tool_returns ?? []
  if (returns.length === 0) return [toResult({}, text, message)]
  return returns.map((given) => toResult(given, text, message))
}

function toResult(given: FileToolResult, contentText: string, message: FileMessage): BundledResult {
  const { func_response: response } = given
  const raw = typeof response === 'string' ? response : response == null ? contentText : textOfParts(response)
  return {
    tool_call_id: given.tool_call_id ?? message.tool_call_id ?? '',
    status: given.status ?? (isFailure(raw) ? 'error' : 'success'),
    text: unwrap(raw),
    stdout: given.stdout ?? null,
    stderr: given.stderr ?? null,
  }
}

const textOfParts = (parts: readonly Part[]): string =>
  parts.map((part) => (typeof part.text === 'string' ? part.text : `[${String(part.type)}]`)).join('\n')

/** What a person has answered to a request for approval, and what a tool of the client's has given. */
function readApprovals(message: FileMessage): BundledResult[] {
  const given: FileApproval[] = [...(message.approvals ?? [])]
  return given.flatMap((approval) => {
    const { tool_call_id: id } = approval
    if (id == null || approval.approve === true) return []
    if (approval.approve !== false) return [toResult(approval, '', message)]
    const reason = approval.reason ?? message.denial_reason ?? ''
    const text = `Error: request to call tool denied. User reason: ${reason}`
    return [{ tool_call_id: id, status: 'error' as const, text, stdout: null, stderr: null }]
  })
}

/** The envelope in which results are kept: `{"status", "message", "time"}`. */
function envelopeOf(text: string): Record<string, unknown> | undefined {
  if (!text.startsWith('{')) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) && 'status' in value && 'message' in value ? value : undefined
  } catch {
    return undefined
  }
}

const isFailure = (text: string): boolean => envelopeOf(text)?.status === 'Failed'

function unwrap(text: string): string {
  const envelope = envelopeOf(text)
  if (envelope === undefined) return text
  const { message } = envelope
  return typeof message === 'string' ? message : message === null ? 'None' : JSON.stringify(message)
}

const OLDEST = Date.UTC(1970, 0, 1)

/** Times without a zone are UTC, as V1 wrote them. */
function readTime(text: string | null | undefined, place: string): Date | undefined {
  if (text == null) return undefined
  const time = new Date(/(Z|[+-]\d\d:?\d\d)$/i.test(text) ? text : `${text}Z`)
  if (Number.isNaN(time.getTime())) throw corrupted(`${place}.created_at must be a time such as 2026-01-31T12:00:00Z.`)
  return time.getTime() < OLDEST ? undefined : time
}
