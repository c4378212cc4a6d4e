import {
  type CompleteReply,
  compareIds,
  type Dialect,
  findToolProblem,
  hasBadText,
  isJsonObject,
  isObject,
  type Json,
  objects,
  splitText,
} from './fake-provider-dialect.ts'

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

function findContentProblem(content: unknown, where: string): string | undefined {
  if (typeof content === 'string') return content === '' ? `${where}: content is empty` : undefined
  if (!Array.isArray(content) || content.length === 0)
    return `${where}: expected a string or a non-empty array, got ${JSON.stringify(content)}`
  const bad = objects(content).find((part) => part.type === 'text' && !isText(part.text))
  return bad === undefined ? undefined : `${where}: a text part is empty`
}

function findCallProblem(calls: Json[], where: string): string | undefined {
  if (calls.length === 0) return `${where}.tool_calls: [] is too short - expected an array with minimum length 1`
  const ids = calls.map((call) => call.id)
  if (!ids.every(isText) || new Set(ids).size !== ids.length)
    return `${where}.tool_calls: ids must be unique: ${ids.join(', ')}`
  for (const call of calls) {
    const made = isObject(call.function) ? call.function : {}
    if (call.type !== 'function' || !isText(made.name)) return `${where}.tool_calls: a call has no function name`
    // OpenAI takes any string here; the servers that imitate it parse it
    if (!isJsonObject(made.arguments)) return `${where}.tool_calls: arguments of ${made.name} are not a JSON object`
  }
  return undefined
}

function findMessageProblem(messages: Json[]): string | undefined {
  let open: string[] = []
  let given: string[] = []
  for (const [index, message] of messages.entries()) {
    const where = `messages.${index}`
    if (message.role === 'tool') {
      if (open.length === 0) {
        return `${where}: messages with role 'tool' must be a response to a preceding message with 'tool_calls'.`
      }
      if (!isText(message.content) && findContentProblem(message.content, where) !== undefined)
        return `${where}: the result is empty`
      given.push(String(message.tool_call_id))
      continue
    }
    const problem = compareIds(open, given)
    if (problem !== undefined) {
      return `${where}: An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id': ${problem}`
    }
    open = []
    given = []
    const hasCalls = message.role === 'assistant' && message.tool_calls !== undefined
    if (hasCalls) {
      const calls = objects(message.tool_calls)
      const callProblem = findCallProblem(calls, where)
      if (callProblem !== undefined) return callProblem
      open = calls.map((call) => String(call.id))
    }
    if (!['system', 'developer', 'user', 'assistant'].includes(String(message.role)))
      return `${where}: invalid role ${message.role}`
    const mayBeEmpty = hasCalls && (message.content === null || message.content === undefined || message.content === '')
    const contentProblem = mayBeEmpty ? undefined : findContentProblem(message.content, where)
    if (contentProblem !== undefined) return contentProblem
  }
  const problem = compareIds(open, given)
  return problem === undefined ? undefined : `messages: the last calls are not answered: ${problem}`
}

function findProblem(body: Json): string | undefined {
  if (!isText(body.model)) return 'you must provide a model parameter'
  const messages = objects(body.messages)
  if (messages.length === 0) return 'messages: [] is too short'
  if (hasBadText(messages)) return 'messages: invalid unicode'
  const tools = objects(body.tools).map((tool) => (isObject(tool.function) ? tool.function : {}))
  if (Array.isArray(body.tools) && tools.length === 0)
    return 'tools: [] is too short - expected an array with minimum length 1'
  for (const field of ['tool_choice', 'parallel_tool_calls']) {
    if (body[field] !== undefined && tools.length === 0) return `'${field}' is only allowed when 'tools' are specified.`
  }
  return (
    findToolProblem(tools.map((tool) => ({ name: tool.name, schema: tool.parameters }))) ?? findMessageProblem(messages)
  )
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  return String(objects(content).findLast((part) => part.type === 'text')?.text ?? '')
}

function toUsage({ usage }: CompleteReply): Json {
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.inputTokens + usage.outputTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedInputTokens ?? 0 },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens ?? 0 },
  }
}

const finishOf = (reply: CompleteReply): string =>
  reply.finishReason ?? (reply.toolCalls.length > 0 ? 'tool_calls' : 'stop')
const toFunction = ({ name, arguments: args }: CompleteReply['toolCalls'][number]) => ({ name, arguments: args })

function toEvents(reply: CompleteReply, body: Json): string[] {
  const base = {
    id: `chatcmpl-${reply.id}`,
    object: 'chat.completion.chunk',
    created: 1_700_000_000,
    model: reply.model,
  }
  const event = (fields: Json) => `data: ${JSON.stringify({ ...base, ...fields })}\n\n`
  const delta = (fields: Json) => event({ choices: [{ index: 0, delta: fields, finish_reason: null }] })
  const pieces = (text: string) => splitText(text, reply.charsPerEvent)
  const wantsUsage = isObject(body.stream_options) && body.stream_options.include_usage === true
  return [
    delta({ role: 'assistant', content: '' }),
    ...pieces(reply.reasoning).map((piece) => delta({ reasoning_content: piece })),
    ...pieces(reply.text).map((piece) => delta({ content: piece })),
    ...reply.toolCalls.flatMap((call, index) => [
      delta({ tool_calls: [{ index, id: call.id, type: 'function', function: { name: call.name, arguments: '' } }] }),
      ...pieces(call.arguments).map((piece) => delta({ tool_calls: [{ index, function: { arguments: piece } }] })),
    ]),
    event({ choices: [{ index: 0, delta: {}, finish_reason: finishOf(reply) }] }),
    ...(wantsUsage ? [event({ choices: [], usage: toUsage(reply) })] : []),
    'data: [DONE]\n\n',
  ]
}

const toError = (status: number, message: string): Json => ({
  error: {
    message,
    type: status === 429 ? 'rate_limit_exceeded' : status >= 500 ? 'server_error' : 'invalid_request_error',
    param: null,
    code: message === CONTEXT_LIMIT ? 'context_length_exceeded' : status === 402 ? 'insufficient_quota' : null,
  },
})
const CONTEXT_LIMIT =
  "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens. Please reduce the length of the messages."

/** Chat completions, as OpenAI and those who imitate it speak them. */
export const openaiDialect: Dialect = {
  findProblem,
  lastUserText: (body) => textOf(objects(body.messages).findLast((message) => message.role === 'user')?.content),
  isAfterTools: (body) => objects(body.messages).at(-1)?.role === 'tool',
  toEvents,
  toWhole: (reply) => ({
    id: `chatcmpl-${reply.id}`,
    object: 'chat.completion',
    created: 1_700_000_000,
    model: reply.model,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: reply.text === '' && reply.toolCalls.length > 0 ? null : reply.text,
          ...(reply.reasoning === '' ? {} : { reasoning_content: reply.reasoning }),
          ...(reply.toolCalls.length === 0
            ? {}
            : {
                tool_calls: reply.toolCalls.map((call) => ({
                  id: call.id,
                  type: 'function',
                  function: toFunction(call),
                })),
              }),
        },
        finish_reason: finishOf(reply),
      },
    ],
    usage: toUsage(reply),
  }),
  toError,
  toErrorEvent: (message) => `data: ${JSON.stringify(toError(500, message))}\n\n`,
  contextLimitMessage: CONTEXT_LIMIT,
  toModels: (models) => ({
    object: 'list',
    data: models.map((id) => ({ id, object: 'model', created: 1_700_000_000, owned_by: 'fake' })),
  }),
}
