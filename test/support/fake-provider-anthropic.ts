import {
  type CompleteReply,
  compareIds,
  type Dialect,
  findToolProblem,
  hasBadText,
  hashOf,
  isJsonObject,
  isObject,
  type Json,
  objects,
  splitText,
} from './fake-provider-dialect.ts'

/** What stands for Anthropic's signature: a changed or foreign thinking block is found out. */
const signatureOf = (thinking: string): string => `sig-${hashOf(thinking)}`

const blocksOf = (content: unknown): Json[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : objects(content)

function findBlockProblem(block: Json, where: string): string | undefined {
  if (block.type === 'text' && (typeof block.text !== 'string' || block.text.trim() === '')) {
    return `${where}: text content blocks must contain non-whitespace text`
  }
  if (block.type === 'tool_use') {
    if (!/^[a-zA-Z0-9_-]+$/.test(String(block.id)))
      return `${where}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'`
    if (!isObject(block.input)) return `${where}.tool_use.input: Input should be a valid dictionary`
  }
  if (
    block.type === 'tool_result' &&
    blocksOf(block.content).some((part) => part.type === 'text' && part.text === '')
  ) {
    return `${where}: the result is empty`
  }
  if (block.type === 'thinking' && block.signature !== signatureOf(String(block.thinking))) {
    return `${where}: Invalid \`signature\` in \`thinking\` block`
  }
  return undefined
}

/** Results must stand first in the message after the calls, one for each. */
function findResultProblem(before: Json[], content: Json[], where: string): string | undefined {
  const calls = before.filter((block) => block.type === 'tool_use').map((block) => String(block.id))
  const results = content.filter((block) => block.type === 'tool_result').map((block) => String(block.tool_use_id))
  const problem = compareIds(calls, results)
  if (problem !== undefined) {
    return `${where}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after, or the other way round: ${problem}`
  }
  const isFirst = content.slice(0, results.length).every((block) => block.type === 'tool_result')
  return isFirst ? undefined : `${where}: \`tool_result\` blocks must come first in the content`
}

function findMessageProblem(messages: Json[]): string | undefined {
  const ids = new Set<string>()
  let before: Json[] = []
  for (const [index, message] of messages.entries()) {
    const where = `messages.${index}`
    const expected = index % 2 === 0 ? 'user' : 'assistant'
    if (message.role !== expected) {
      return `${where}: roles must alternate between "user" and "assistant", but found "${message.role}"`
    }
    const content = blocksOf(message.content)
    if (content.length === 0) return `${where}: all messages must have non-empty content`
    for (const [position, block] of content.entries()) {
      const problem = findBlockProblem(block, `${where}.content.${position}`)
      if (problem !== undefined) return problem
      if (block.type !== 'tool_use') continue
      if (ids.has(String(block.id))) return `${where}: \`tool_use\` ids must be unique`
      ids.add(String(block.id))
    }
    const problem = message.role === 'user' ? findResultProblem(before, content, where) : undefined
    if (problem !== undefined) return problem
    before = content
  }
  if (messages.at(-1)?.role !== 'user') {
    return 'This model does not support assistant message prefill. The conversation must end with a user message.'
  }
  return undefined
}

function findThinkingProblem(body: Json, messages: Json[]): string | undefined {
  const thinking = isObject(body.thinking) ? body.thinking : {}
  if (thinking.type !== 'enabled') return undefined
  const budget = Number(thinking.budget_tokens)
  if (!(budget >= 1024)) return 'thinking.enabled.budget_tokens: Input should be greater than or equal to 1024'
  if (!(Number(body.max_tokens) > budget)) return '`max_tokens` must be greater than `thinking.budget_tokens`'
  if (body.temperature !== undefined && body.temperature !== 1)
    return '`temperature` may only be set to 1 when thinking is enabled.'
  const isAfterTools = blocksOf(messages.at(-1)?.content)[0]?.type === 'tool_result'
  const first = blocksOf(messages.at(-2)?.content)[0]?.type
  if (isAfterTools && first !== 'thinking' && first !== 'redacted_thinking') {
    return `messages.${messages.length - 2}.content.0.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`${first}\`.`
  }
  return undefined
}

const countCacheMarks = (value: unknown): number =>
  typeof value !== 'object' || value === null
    ? 0
    : ('cache_control' in value && value.cache_control !== null && value.cache_control !== undefined ? 1 : 0) +
      Object.values(value).reduce((sum: number, item) => sum + countCacheMarks(item), 0)

function findProblem(body: Json): string | undefined {
  if (typeof body.model !== 'string' || body.model === '') return 'model: Field required'
  if (!Number.isInteger(body.max_tokens) || Number(body.max_tokens) < 1) return 'max_tokens: Field required'
  const messages = objects(body.messages)
  if (messages.length === 0) return 'messages: at least one message is required'
  if (hasBadText(messages) || hasBadText(body.system))
    return 'The request body is not valid JSON: no low surrogate in string'
  if (body.system !== undefined) {
    const bad = blocksOf(body.system).find((block) => block.type !== 'text' || String(block.text ?? '').trim() === '')
    if (bad !== undefined) return 'system: text content blocks must be non-empty'
  }
  if (countCacheMarks(body) > 4)
    return `A maximum of 4 blocks with cache_control may be provided. Found ${countCacheMarks(body)}.`
  const tools = objects(body.tools)
  if (body.tool_choice !== undefined && tools.length === 0)
    return 'tool_choice: may only be specified while providing tools.'
  return (
    findToolProblem(tools.map((tool) => ({ name: tool.name, schema: tool.input_schema }))) ??
    findMessageProblem(messages) ??
    findThinkingProblem(body, messages)
  )
}

function toUsage({ usage }: CompleteReply): Json {
  const cached = usage.cachedInputTokens ?? 0
  const written = usage.cacheWriteTokens ?? 0
  return {
    // Anthropic counts cached tokens apart from the others
    input_tokens: Math.max(usage.inputTokens - cached - written, 0),
    cache_read_input_tokens: cached,
    cache_creation_input_tokens: written,
    output_tokens: usage.outputTokens,
  }
}

const finishOf = (reply: CompleteReply): string =>
  reply.finishReason ?? (reply.toolCalls.length > 0 ? 'tool_use' : 'end_turn')

function toEvents(reply: CompleteReply): string[] {
  const event = (type: string, fields: Json = {}) => `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`
  const pieces = (text: string) => splitText(text, reply.charsPerEvent)
  const events: string[] = []
  let index = 0
  const block = (content_block: Json, deltas: Json[]) => {
    events.push(
      event('content_block_start', { index, content_block }),
      ...deltas.map((delta) => event('content_block_delta', { index, delta })),
      event('content_block_stop', { index }),
    )
    index += 1
  }
  if (reply.reasoning !== '') {
    block({ type: 'thinking', thinking: '', signature: '' }, [
      ...pieces(reply.reasoning).map((thinking) => ({ type: 'thinking_delta', thinking })),
      { type: 'signature_delta', signature: signatureOf(reply.reasoning) },
    ])
  }
  if (reply.text !== '')
    block(
      { type: 'text', text: '' },
      pieces(reply.text).map((text) => ({ type: 'text_delta', text })),
    )
  for (const call of reply.toolCalls) {
    block(
      { type: 'tool_use', id: call.id, name: call.name, input: {} },
      pieces(call.arguments).map((partial_json) => ({ type: 'input_json_delta', partial_json })),
    )
  }
  const message = { id: `msg_${reply.id}`, type: 'message', role: 'assistant', model: reply.model, content: [] }
  return [
    event('message_start', {
      message: { ...message, stop_reason: null, stop_sequence: null, usage: { ...toUsage(reply), output_tokens: 1 } },
    }),
    event('ping'),
    ...events,
    event('message_delta', {
      delta: { stop_reason: finishOf(reply), stop_sequence: null },
      usage: { output_tokens: reply.usage.outputTokens },
    }),
    event('message_stop'),
  ]
}

const ERROR_TYPES: Record<number, string> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  529: 'overloaded_error',
}
const toError = (status: number, message: string): Json => ({
  type: 'error',
  error: { type: ERROR_TYPES[status] ?? 'api_error', message },
  request_id: 'req_fake',
})

/** Anthropic's messages. */
export const anthropicDialect: Dialect = {
  findProblem,
  lastUserText(body) {
    const said = objects(body.messages)
      .filter((message) => message.role === 'user')
      .flatMap((message) => blocksOf(message.content))
    return String(said.findLast((block) => block.type === 'text')?.text ?? '')
  },
  isAfterTools: (body) => blocksOf(objects(body.messages).at(-1)?.content).at(-1)?.type === 'tool_result',
  toEvents,
  toWhole: (reply) => ({
    id: `msg_${reply.id}`,
    type: 'message',
    role: 'assistant',
    model: reply.model,
    content: [
      ...(reply.reasoning === ''
        ? []
        : [{ type: 'thinking', thinking: reply.reasoning, signature: signatureOf(reply.reasoning) }]),
      ...(reply.text === '' ? [] : [{ type: 'text', text: reply.text }]),
      ...reply.toolCalls.map((call) => ({
        type: 'tool_use',
        id: call.id,
        name: call.name,
        input: isJsonObject(call.arguments) ? JSON.parse(call.arguments) : {},
      })),
    ],
    stop_reason: finishOf(reply),
    stop_sequence: null,
    usage: toUsage(reply),
  }),
  toError,
  toErrorEvent: (message) =>
    `event: error\ndata: ${JSON.stringify({ type: 'error', error: { type: 'overloaded_error', message } })}\n\n`,
  contextLimitMessage: 'prompt is too long: 209000 tokens > 200000 maximum',
  toModels: (models) => ({
    data: models.map((id) => ({ type: 'model', id, display_name: id, created_at: '2025-01-01T00:00:00Z' })),
    has_more: false,
    first_id: models[0] ?? null,
    last_id: models.at(-1) ?? null,
  }),
}
