import {
  type CompleteReply,
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

const FIELDS = ['text', 'functionCall', 'functionResponse', 'inlineData', 'fileData']
const callsOf = (content: Json | undefined): Json[] =>
  objects(content?.parts).flatMap((part) => (isObject(part.functionCall) ? [part.functionCall] : []))
const responsesOf = (content: Json | undefined): Json[] =>
  objects(content?.parts).flatMap((part) => (isObject(part.functionResponse) ? [part.functionResponse] : []))

function findPartProblem(part: Json, where: string): string | undefined {
  if (!FIELDS.some((field) => part[field] !== undefined))
    return `${where}.data: required oneof field 'data' must have one initialized field`
  if (part.text === '') return `${where}.text: must not be empty`
  if (isObject(part.functionCall) && !isObject(part.functionCall.args ?? {}))
    return `${where}.function_call.args: must be an object`
  if (isObject(part.functionResponse) && !isObject(part.functionResponse.response)) {
    return `${where}.function_response.response: must be an object`
  }
  return undefined
}

function findResponseProblem(before: Json | undefined, content: Json, where: string): string | undefined {
  const calls = callsOf(before)
  const responses = responsesOf(content)
  if (calls.length !== responses.length) {
    return `${where}: Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn (${calls.length} calls, ${responses.length} responses).`
  }
  for (const [index, call] of calls.entries()) {
    const response = responses[index]
    if (call.name !== response?.name || (call.id !== undefined && call.id !== response?.id)) {
      return `${where}: the response of ${response?.name} does not fit the call of ${call.name}`
    }
  }
  return undefined
}

/** Gemini 3 wants its thought signature back on the first call of each step of the running turn. */
function findSignatureProblem(contents: Json[]): string | undefined {
  const turnStart = contents.findLastIndex((content) => content.role !== 'model' && responsesOf(content).length === 0)
  for (const content of contents.slice(turnStart + 1)) {
    const first = objects(content.parts).find((part) => part.functionCall !== undefined)
    if (first === undefined) continue
    const call = first.functionCall as Json
    if (first.thoughtSignature !== signatureOf(call)) {
      return `Function call is missing a thought_signature in functionCall parts. Function call \`${call.name}\``
    }
  }
  return undefined
}

const signatureOf = (call: { name?: unknown }): string => Buffer.from(`thought-${hashOf(call.name)}`).toString('base64')

function findProblem(body: Json, model: string): string | undefined {
  const contents = objects(body.contents)
  if (contents.length === 0) return '* GenerateContentRequest.contents: contents is not specified'
  if (hasBadText(contents) || hasBadText(body.systemInstruction))
    return 'Invalid JSON payload received. Invalid unicode.'
  for (const [index, content] of contents.entries()) {
    const where = `* GenerateContentRequest.contents[${index}]`
    const parts = objects(content.parts)
    if (!['user', 'model', 'function'].includes(String(content.role))) return 'Please use a valid role: user, model.'
    if (parts.length === 0) return `${where}.parts: contents.parts must not be empty.`
    for (const [position, part] of parts.entries()) {
      const problem = findPartProblem(part, `${where}.parts[${position}]`)
      if (problem !== undefined) return problem
    }
    const before = contents[index - 1]
    if (content.role === 'model' && callsOf(content).length > 0 && (before === undefined || before.role === 'model')) {
      return `${where}: Please ensure that function call turn comes immediately after a user turn or after a function response turn.`
    }
    const problem =
      content.role === 'model' && callsOf(before).length === 0 ? undefined : findResponseProblem(before, content, where)
    if (problem !== undefined) return problem
  }
  if (contents.at(-1)?.role === 'model')
    return 'Please ensure that the request ends with a user role or a function response.'
  const tools = objects(body.tools).flatMap((tool) => objects(tool.functionDeclarations))
  return (
    findToolProblem(tools.map((tool) => ({ name: tool.name, schema: toSchema(tool) }))) ??
    (model.includes('gemini-3') ? findSignatureProblem(contents) : undefined)
  )
}

/** Tools without parameters have none here; types may be upper case. */
function toSchema(tool: Json): unknown {
  const schema = tool.parametersJsonSchema ?? tool.parameters ?? { type: 'object' }
  return isObject(schema) ? { ...schema, type: String(schema.type).toLowerCase() } : schema
}

function toUsage({ usage }: CompleteReply): Json {
  const thoughts = usage.reasoningTokens ?? 0
  return {
    promptTokenCount: usage.inputTokens,
    candidatesTokenCount: usage.outputTokens - thoughts,
    totalTokenCount: usage.inputTokens + usage.outputTokens,
    ...(usage.cachedInputTokens === undefined ? {} : { cachedContentTokenCount: usage.cachedInputTokens }),
    ...(usage.reasoningTokens === undefined ? {} : { thoughtsTokenCount: thoughts }),
  }
}

function toParts(reply: CompleteReply, size: number): Json[] {
  return [
    ...splitText(reply.reasoning, size).map((text) => ({ text, thought: true })),
    ...splitText(reply.text, size).map((text) => ({ text })),
    ...reply.toolCalls.map((call, index) => ({
      // this protocol sends objects, so broken JSON cannot be expressed
      functionCall: { name: call.name, args: isJsonObject(call.arguments) ? JSON.parse(call.arguments) : {} },
      ...(index === 0 ? { thoughtSignature: signatureOf(call) } : {}),
    })),
  ]
}

const toChunk = (reply: CompleteReply, parts: Json[], isLast: boolean): Json => ({
  candidates: [
    {
      content: { role: 'model', parts },
      index: 0,
      ...(isLast ? { finishReason: reply.finishReason ?? 'STOP' } : {}),
    },
  ],
  usageMetadata: toUsage(reply),
  modelVersion: reply.model,
  responseId: reply.id,
})

const STATUS: Record<number, string> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  503: 'UNAVAILABLE',
}
const toError = (status: number, message: string): Json => ({
  error: { code: status, message, status: STATUS[status] ?? 'INTERNAL' },
})

/** Gemini's generateContent. */
export const googleDialect: Dialect = {
  findProblem,
  lastUserText(body) {
    const said = objects(body.contents)
      .filter((content) => content.role === 'user')
      .flatMap((content) => objects(content.parts))
    return String(said.findLast((part) => typeof part.text === 'string')?.text ?? '')
  },
  isAfterTools: (body) => objects(objects(body.contents).at(-1)?.parts).at(-1)?.functionResponse !== undefined,
  toEvents(reply) {
    const parts = toParts(reply, reply.charsPerEvent)
    const chunks = [...parts.map((part) => toChunk(reply, [part], false)), toChunk(reply, [], true)]
    return chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\r\n\r\n`)
  },
  toWhole: (reply) => toChunk(reply, toParts(reply, Number.MAX_SAFE_INTEGER), true),
  toError,
  toErrorEvent: (message) => `data: ${JSON.stringify(toError(503, message))}\r\n\r\n`,
  contextLimitMessage: 'The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).',
  toModels: (models) => ({
    models: models.map((id) => ({
      name: `models/${id}`,
      displayName: id,
      inputTokenLimit: 1_048_576,
      outputTokenLimit: 65_536,
      supportedGenerationMethods: id.includes('embedding') ? ['embedContent'] : ['generateContent', 'countTokens'],
    })),
  }),
}
