import { describe, expect, test } from 'vitest'
import { createLogger } from '#platform/logger.ts'
import { type ScriptedAnswer, type SeenRequest, startScriptedProvider } from '../../test/support/scripted-provider.ts'
import { createModelFetch } from './fetch.ts'
import type {
  ContentPart,
  Model,
  ModelError,
  ModelEvent,
  ModelReply,
  ModelRequest,
  TranscriptMessage,
} from './model.ts'
import { createModelRegistry } from './registry.ts'

interface Call {
  id: string
  name: string
  args: string
}

/** How one API writes what every model must be able to say. */
interface Dialect {
  name: string
  handle: string
  isModelCall: (request: SeenRequest) => boolean
  text: (pieces: string[]) => string[]
  calls: (calls: Call[]) => string[]
  reasoning?: (text: string, answer: string) => string[]
  empty: () => string[]
  overflow: { status: number; json: unknown }
  /** Tokens that `text` reports: input with the cached ones, output, cached. */
  usage: { input: number; output: number; cached: number }
  /** The image of a request, wherever the API has it. */
  imageOf: (body: unknown) => unknown
  image: unknown
  /** What the request says of the reasoning that the model wrote in the step before. */
  replayOf?: (body: unknown) => unknown
  replay?: unknown
  signedReasoning?: ContentPart
}

const data = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`
const named = (event: { type: string }): string => `event: ${event.type}\n${data(event)}`
// biome-ignore lint/suspicious/noExplicitAny: bodies of four different APIs
const at = (body: unknown, ...path: (string | number)[]): any =>
  // biome-ignore lint/suspicious/noExplicitAny: as above
  path.reduce((value: any, key) => (typeof key === 'number' && key < 0 ? value?.at(key) : value?.[key]), body)

const chunk = (delta: unknown, finish: string | null = null) =>
  data({
    id: 'c1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [{ index: 0, delta, finish_reason: finish }],
  })
const chatUsage = data({
  id: 'c1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  choices: [],
  usage: { prompt_tokens: 30, completion_tokens: 7, total_tokens: 37, prompt_tokens_details: { cached_tokens: 20 } },
})
const chatEnd = (reason: string): string[] => [chunk({}, reason), chatUsage, 'data: [DONE]\n\n']

const chat: Omit<Dialect, 'name' | 'handle'> = {
  isModelCall: (request) => request.path.endsWith('/chat/completions'),
  text: (pieces) => [
    chunk({ role: 'assistant', content: '' }),
    ...pieces.map((content) => chunk({ content })),
    ...chatEnd('stop'),
  ],
  calls: (calls) => [
    ...calls.flatMap(({ id, name, args }, index) => [
      chunk({ tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] }),
      chunk({ tool_calls: [{ index, function: { arguments: args.slice(0, 4) } }] }),
      chunk({ tool_calls: [{ index, function: { arguments: args.slice(4) } }] }),
    ]),
    ...chatEnd('tool_calls'),
  ],
  empty: () => [chunk({ role: 'assistant', content: '' }), ...chatEnd('stop')],
  overflow: {
    status: 400,
    json: {
      error: {
        message:
          "This model's maximum context length is 128000 tokens. However, your messages resulted in 200000 tokens.",
        type: 'invalid_request_error',
        code: 'context_length_exceeded',
      },
    },
  },
  usage: { input: 30, output: 7, cached: 20 },
  imageOf: (body) => at(body, 'messages', -1, 'content', 1),
  image: { type: 'image_url', image_url: { url: 'data:image/png;base64,aGk=' } },
}

const anthropicEnd = (reason: string): string[] => [
  named({
    type: 'message_delta',
    delta: { stop_reason: reason, stop_sequence: null },
    usage: { output_tokens: 7 },
  } as never),
  named({ type: 'message_stop' }),
]
const anthropicStart = named({
  type: 'message_start',
  message: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-4-5',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: 10, cache_read_input_tokens: 20, cache_creation_input_tokens: 0, output_tokens: 1 },
  },
} as never)
const anthropicBlock = (index: number, content_block: unknown, deltas: unknown[]): string[] => [
  named({ type: 'content_block_start', index, content_block } as never),
  ...deltas.map((delta) => named({ type: 'content_block_delta', index, delta } as never)),
  named({ type: 'content_block_stop', index } as never),
]

const responsesUsage = {
  input_tokens: 30,
  input_tokens_details: { cached_tokens: 20 },
  output_tokens: 7,
  output_tokens_details: { reasoning_tokens: 5 },
  total_tokens: 37,
}
const responsesStart = named({
  type: 'response.created',
  response: { id: 'resp_1', created_at: 1, model: 'gpt-5-mini' },
} as never)
const responsesEnd = named({
  type: 'response.completed',
  response: { id: 'resp_1', created_at: 1, model: 'gpt-5-mini', incomplete_details: null, usage: responsesUsage },
} as never)
const responsesText = (output_index: number, pieces: string[]): string[] => {
  const item = { type: 'message', id: 'msg_1', role: 'assistant', status: 'in_progress', content: [] }
  return [
    named({ type: 'response.output_item.added', output_index, item } as never),
    ...pieces.map((delta) =>
      named({
        type: 'response.output_text.delta',
        item_id: 'msg_1',
        output_index,
        content_index: 0,
        delta,
        logprobs: [],
      } as never),
    ),
    named({
      type: 'response.output_item.done',
      output_index,
      item: {
        ...item,
        status: 'completed',
        content: [{ type: 'output_text', text: pieces.join(''), annotations: [] }],
      },
    } as never),
  ]
}

const googleChunk = (parts: unknown[], finishReason?: string): string =>
  data({
    candidates: [
      { content: { role: 'model', parts }, index: 0, ...(finishReason === undefined ? {} : { finishReason }) },
    ],
    usageMetadata: { promptTokenCount: 30, cachedContentTokenCount: 20, candidatesTokenCount: 7, totalTokenCount: 37 },
    modelVersion: 'gemini-2.5-flash',
  })

const DIALECTS: Dialect[] = [
  { ...chat, name: 'openai chat', handle: 'openai/gpt-4o-mini' },
  {
    ...chat,
    name: 'openai-compatible',
    handle: 'lab/qwen3',
    reasoning: (text, answer) => [
      chunk({ role: 'assistant', reasoning_content: text }),
      chunk({ content: answer }),
      ...chatEnd('stop'),
    ],
    // another server's reasoning is not sent back
    replayOf: (body) => at(body, 'messages', -2, 'reasoning_content'),
    replay: undefined,
  },
  {
    name: 'openai responses',
    handle: 'openai/gpt-5-mini',
    isModelCall: (request) => request.path.endsWith('/responses'),
    text: (pieces) => [responsesStart, ...responsesText(0, pieces), responsesEnd],
    calls: (calls) => [
      responsesStart,
      ...calls.flatMap(({ id, name, args }, output_index) => {
        const item = {
          type: 'function_call',
          id: `fc_${output_index}`,
          call_id: id,
          name,
          arguments: '',
          status: 'in_progress',
        }
        return [
          named({ type: 'response.output_item.added', output_index, item } as never),
          named({
            type: 'response.function_call_arguments.delta',
            item_id: item.id,
            output_index,
            delta: args,
          } as never),
          named({
            type: 'response.output_item.done',
            output_index,
            item: { ...item, arguments: args, status: 'completed' },
          } as never),
        ]
      }),
      responsesEnd,
    ],
    reasoning: (text, answer) => {
      const item = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'cipher' }
      return [
        responsesStart,
        named({
          type: 'response.output_item.added',
          output_index: 0,
          item: { ...item, encrypted_content: null },
        } as never),
        named({ type: 'response.reasoning_summary_part.added', item_id: 'rs_1', summary_index: 0 } as never),
        named({
          type: 'response.reasoning_summary_text.delta',
          item_id: 'rs_1',
          summary_index: 0,
          delta: text,
        } as never),
        named({ type: 'response.reasoning_summary_part.done', item_id: 'rs_1', summary_index: 0 } as never),
        named({
          type: 'response.output_item.done',
          output_index: 0,
          item: { ...item, summary: [{ type: 'summary_text', text }] },
        } as never),
        ...responsesText(1, [answer]),
        responsesEnd,
      ]
    },
    empty: () => [responsesStart, responsesEnd],
    overflow: {
      status: 400,
      json: {
        error: {
          message: 'Your input exceeds the context window of this model. Please adjust your input and try again.',
          type: 'invalid_request_error',
          code: 'context_length_exceeded',
          param: 'input',
        },
      },
    },
    usage: { input: 30, output: 7, cached: 20 },
    imageOf: (body) => at(body, 'input', -1, 'content', 1),
    image: { type: 'input_image', image_url: 'data:image/png;base64,aGk=' },
    replayOf: (body) => at(body, 'input', 2),
    replay: {
      type: 'reasoning',
      id: 'rs_1',
      encrypted_content: 'cipher',
      summary: [{ type: 'summary_text', text: 'let me think' }],
    },
  },
  {
    name: 'anthropic',
    handle: 'anthropic/claude-sonnet-4-5',
    isModelCall: (request) => request.path.endsWith('/messages'),
    text: (pieces) => [
      anthropicStart,
      named({ type: 'ping' }),
      ...anthropicBlock(
        0,
        { type: 'text', text: '' },
        pieces.map((text) => ({ type: 'text_delta', text })),
      ),
      ...anthropicEnd('end_turn'),
    ],
    calls: (calls) => [
      anthropicStart,
      ...calls.flatMap(({ id, name, args }, index) =>
        anthropicBlock(index, { type: 'tool_use', id, name, input: {} }, [
          { type: 'input_json_delta', partial_json: args.slice(0, 4) },
          { type: 'input_json_delta', partial_json: args.slice(4) },
        ]),
      ),
      ...anthropicEnd('tool_use'),
    ],
    reasoning: (thinking, answer) => [
      anthropicStart,
      ...anthropicBlock(0, { type: 'thinking', thinking: '', signature: '' }, [
        { type: 'thinking_delta', thinking },
        { type: 'signature_delta', signature: 'signed' },
      ]),
      ...anthropicBlock(1, { type: 'redacted_thinking', data: 'hidden' }, []),
      ...anthropicBlock(2, { type: 'text', text: '' }, [{ type: 'text_delta', text: answer }]),
      ...anthropicEnd('end_turn'),
    ],
    empty: () => [anthropicStart, ...anthropicEnd('end_turn')],
    overflow: {
      status: 400,
      json: {
        type: 'error',
        error: { type: 'invalid_request_error', message: 'prompt is too long: 208310 tokens > 200000 maximum' },
      },
    },
    usage: { input: 30, output: 7, cached: 20 },
    imageOf: (body) => at(body, 'messages', -1, 'content', 1),
    image: { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'aGk=' } },
    replayOf: (body) => at(body, 'messages', 1, 'content').slice(0, 2),
    replay: [
      { type: 'thinking', thinking: 'let me think', signature: 'signed' },
      { type: 'redacted_thinking', data: 'hidden' },
    ],
  },
  {
    name: 'google',
    handle: 'google_ai/gemini-2.5-flash',
    isModelCall: (request) => request.path.includes(':streamGenerateContent'),
    text: (pieces) => [...pieces.map((text) => googleChunk([{ text }])), googleChunk([], 'STOP')],
    calls: (calls) => [
      googleChunk(
        calls.map(({ name, args }) => ({ functionCall: { name, args: JSON.parse(args) } })),
        'STOP',
      ),
    ],
    reasoning: (text, answer) => [
      googleChunk([{ text, thought: true }]),
      googleChunk([{ text: answer, thoughtSignature: 'signed' }], 'STOP'),
    ],
    empty: () => [googleChunk([], 'STOP')],
    overflow: {
      status: 400,
      json: {
        error: {
          code: 400,
          message: 'The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).',
          status: 'INVALID_ARGUMENT',
        },
      },
    },
    usage: { input: 30, output: 7, cached: 20 },
    imageOf: (body) => at(body, 'contents', -1, 'parts', 1),
    image: { inlineData: { mimeType: 'image/png', data: 'aGk=' } },
    replayOf: (body) =>
      at(body, 'contents', 1, 'parts').find((part: { thoughtSignature?: string }) => part.thoughtSignature),
    replay: { text: 'done', thoughtSignature: 'signed' },
  },
]

interface Setup {
  model: Model
  /** Requests to the model, without those to its list. */
  calls: SeenRequest[]
}

async function setUp(
  stack: AsyncDisposableStack,
  dialect: Dialect,
  answer: (call: SeenRequest, index: number) => ScriptedAnswer | undefined,
  timeouts: { firstByteTimeoutMs?: number; idleTimeoutMs?: number } = {},
): Promise<Setup> {
  const calls: SeenRequest[] = []
  const server = stack.use(
    await startScriptedProvider((request) => {
      if (!dialect.isModelCall(request)) return { status: 404 }
      calls.push(request)
      return answer(request, calls.length - 1)
    }),
  )
  const registry = createModelRegistry({
    providers: ['openai', 'anthropic', 'google_ai'].map((name) => ({
      name,
      apiKey: 'secret-key-1',
      baseUrl: undefined,
    })),
    openaiCompatible: [{ name: 'lab', baseUrl: `${server.url}/v1`, apiKey: 'secret-key-1' }],
    firstByteTimeoutMs: 5_000,
    idleTimeoutMs: 5_000,
    ...timeouts,
    logger: createLogger({ level: 'silent', format: 'json' }),
    // the vendors' own addresses, answered here
    createFetch: (options) => {
      const fetch = createModelFetch(options)
      return (url, init) => fetch(String(url).replace(/^https:\/\/[^/]+/, server.url), init)
    },
    firstDelayMs: 10,
  })
  return { model: await registry.getModel(dialect.handle, null), calls }
}

const SYSTEM: TranscriptMessage = { role: 'system', text: 'You are kind.' }
const user = (text: string): TranscriptMessage => ({ role: 'user', content: [{ type: 'text', text }] })
const TOOL = {
  name: 'look_up',
  description: 'Looks something up.',
  parameters: { type: 'object', properties: { term: { type: 'string' } }, required: ['term'] },
}

function request(overrides: Partial<ModelRequest> = {}): ModelRequest {
  return {
    messages: [SYSTEM, user('Hello')],
    tools: [TOOL],
    toolChoice: { type: 'auto' },
    settings: {},
    signal: new AbortController().signal,
    ...overrides,
  }
}

async function collect(stream: AsyncIterable<ModelEvent>): Promise<{ events: ModelEvent[]; reply: ModelReply }> {
  const events = await Array.fromAsync(stream)
  const last = events.at(-1)
  if (last?.type !== 'reply') throw new Error('the stream has no reply')
  return { events, reply: last.reply }
}

async function failure(stream: AsyncIterable<ModelEvent>): Promise<{ events: ModelEvent[]; error: ModelError }> {
  const events: ModelEvent[] = []
  try {
    for await (const event of stream) events.push(event)
  } catch (error) {
    return { events, error: error as ModelError }
  }
  throw new Error('the stream did not fail')
}

describe.each(DIALECTS)('$name', (dialect) => {
  test('text comes piece by piece, with usage', async () => {
    await using stack = new AsyncDisposableStack()
    const { model } = await setUp(stack, dialect, () => ({ sse: dialect.text(['Hel', 'lo ', 'you']) }))
    const { events, reply } = await collect(model.stream(request()))
    expect(events.filter((event) => event.type === 'text-delta').map((event) => event.text)).toEqual([
      'Hel',
      'lo ',
      'you',
    ])
    expect(reply.content.map((part) => (part.type === 'text' ? part.text : part.type))).toEqual(['Hello you'])
    expect(reply.finishReason).toBe('stop')
    const { input, output, cached } = dialect.usage
    expect(reply.usage).toMatchObject({ inputTokens: input, outputTokens: output, cachedInputTokens: cached })
  })

  test('a tool call, its result, and the answer', async () => {
    await using stack = new AsyncDisposableStack()
    const args = '{"term":"tide"}'
    const { model, calls } = await setUp(stack, dialect, (_call, index) => ({
      sse: index === 0 ? dialect.calls([{ id: 'call_1', name: 'look_up', args }]) : dialect.text(['ok']),
    }))
    const { events, reply } = await collect(model.stream(request()))
    const [call] = reply.toolCalls
    if (call === undefined) throw new Error('no call')
    expect(call).toMatchObject({ name: 'look_up', arguments: args })
    expect(reply.finishReason).toBe('tool-calls')
    expect(events).toContainEqual({ type: 'tool-call-start', toolCallId: call.tool_call_id, name: 'look_up' })
    const deltas = events.filter((event) => event.type === 'tool-call-delta').map((event) => event.argumentsDelta)
    expect(deltas.join('')).toBe(args)

    const messages: TranscriptMessage[] = [
      SYSTEM,
      user('Hello'),
      { role: 'assistant', content: reply.content, toolCalls: reply.toolCalls },
      {
        role: 'tool',
        results: [{ tool_call_id: call.tool_call_id, name: 'look_up', status: 'success', text: 'it rises' }],
      },
    ]
    await collect(model.stream(request({ messages })))
    expect(calls[1]?.text).toContain('it rises')
    expect(calls[1]?.text).toContain('tide')
  })

  test('parallel calls have different ids, also where the provider repeats or omits them', async () => {
    await using stack = new AsyncDisposableStack()
    const { model } = await setUp(stack, dialect, () => ({
      sse: dialect.calls([
        { id: 'same', name: 'look_up', args: '{"term":"a"}' },
        { id: 'same', name: 'look_up', args: '{"term":"b"}' },
        { id: 'other', name: 'look_up', args: '{"term":"c"}' },
      ]),
    }))
    const { events, reply } = await collect(model.stream(request()))
    expect(reply.toolCalls.map((call) => call.arguments)).toEqual(['{"term":"a"}', '{"term":"b"}', '{"term":"c"}'])
    const ids = reply.toolCalls.map((call) => call.tool_call_id)
    expect(new Set(ids).size).toBe(3)
    const started = events.filter((event) => event.type === 'tool-call-start').map((event) => event.toolCallId)
    expect(started).toEqual(ids)
  })

  test('malformed arguments come as the model wrote them', async () => {
    if (dialect.name === 'google') return
    await using stack = new AsyncDisposableStack()
    const args = '{"term": "tide'
    const { model, calls } = await setUp(stack, dialect, (_call, index) => ({
      sse: index === 0 ? dialect.calls([{ id: 'call_1', name: 'look_up', args }]) : dialect.text(['ok']),
    }))
    const { reply } = await collect(model.stream(request()))
    expect(reply.toolCalls[0]?.arguments).toBe(args)
    const messages: TranscriptMessage[] = [
      user('Hello'),
      { role: 'assistant', content: [], toolCalls: reply.toolCalls },
      { role: 'tool', results: [{ tool_call_id: 'call_1', name: 'look_up', status: 'error', text: 'not JSON' }] },
    ]
    await collect(model.stream(request({ messages })))
    expect(calls).toHaveLength(2)
  })

  test('an empty answer is an empty reply', async () => {
    await using stack = new AsyncDisposableStack()
    const { model } = await setUp(stack, dialect, () => ({ sse: dialect.empty() }))
    const { reply } = await collect(model.stream(request()))
    expect(reply).toMatchObject({ content: [], toolCalls: [], finishReason: 'stop' })
  })

  test('an image', async () => {
    await using stack = new AsyncDisposableStack()
    const { model, calls } = await setUp(stack, dialect, () => ({ sse: dialect.text(['a tide']) }))
    const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'aGk=' } } as const
    await collect(
      model.stream(request({ messages: [{ role: 'user', content: [{ type: 'text', text: 'What is it?' }, image] }] })),
    )
    expect(dialect.imageOf(calls[0]?.body)).toMatchObject(dialect.image as object)
  })

  test('reasoning is passed on, and goes back as the provider wants it', async () => {
    const { reasoning, replayOf, replay } = dialect
    if (reasoning === undefined || replayOf === undefined) return
    await using stack = new AsyncDisposableStack()
    const { model, calls } = await setUp(stack, dialect, () => ({ sse: reasoning('let me think', 'done') }))
    const { events, reply } = await collect(model.stream(request()))
    const thought = events.filter((event) => event.type === 'reasoning-delta').map((event) => event.text)
    expect(thought.join('')).toBe('let me think')
    expect(reply.content[0]).toMatchObject({ type: 'reasoning', reasoning: 'let me think' })
    // as it is stored
    const content = JSON.parse(JSON.stringify(reply.content)) as ContentPart[]
    const messages: TranscriptMessage[] = [
      SYSTEM,
      user('Hello'),
      { role: 'assistant', content, toolCalls: [] },
      user('Why?'),
    ]
    await collect(model.stream(request({ messages })))
    const sent = replayOf(calls[1]?.body)
    if (replay === undefined) expect(sent).toBeUndefined()
    else expect(sent).toMatchObject(replay as object)
  })

  test('reasoning of another provider is left out', async () => {
    await using stack = new AsyncDisposableStack()
    const { model, calls } = await setUp(stack, dialect, () => ({ sse: dialect.text(['ok']) }))
    const foreign: ContentPart[] = [
      { type: 'reasoning', reasoning: 'a secret thought', provider_metadata: { elsewhere: { signature: 's' } } },
      { type: 'redacted_reasoning', data: 'xyzzy', provider_metadata: { elsewhere: {} } },
      { type: 'text', text: 'fine' },
    ]
    const messages: TranscriptMessage[] = [
      user('Hello'),
      { role: 'assistant', content: foreign, toolCalls: [] },
      user('Why?'),
    ]
    await collect(model.stream(request({ messages })))
    expect(calls[0]?.text).toContain('fine')
    expect(calls[0]?.text).not.toContain('secret thought')
    expect(calls[0]?.text).not.toContain('xyzzy')
  })

  test('an overflow of the context window is told apart and not repeated', async () => {
    await using stack = new AsyncDisposableStack()
    const { model, calls } = await setUp(stack, dialect, () => dialect.overflow)
    const { error } = await failure(model.stream(request()))
    expect(error).toMatchObject({ name: 'ModelError', kind: 'context_window_exceeded', status: 400 })
    expect(calls).toHaveLength(1)
  })

  test('429 waits as long as the provider says, then goes on', async () => {
    await using stack = new AsyncDisposableStack()
    const { model, calls } = await setUp(stack, dialect, (_call, index) =>
      index === 0
        ? { status: 429, headers: { 'retry-after-ms': '120' }, json: { error: { message: 'Slow down, please.' } } }
        : { sse: dialect.text(['ok']) },
    )
    const start = performance.now()
    const { events } = await collect(model.stream(request()))
    expect(performance.now() - start).toBeGreaterThan(115)
    expect(events[0]).toMatchObject({ type: 'retry', attempt: 1, delayMs: 120, error: { kind: 'rate_limit' } })
    expect(events.at(-1)).toMatchObject({ timing: { attempts: 2 } })
    expect(calls).toHaveLength(2)
  })

  test('429 that asks for more than a minute fails at once', async () => {
    await using stack = new AsyncDisposableStack()
    const { model, calls } = await setUp(stack, dialect, () => ({ status: 429, headers: { 'retry-after': '90' } }))
    const { error } = await failure(model.stream(request()))
    expect(error).toMatchObject({ kind: 'rate_limit', retryAfterMs: 90_000 })
    expect(calls).toHaveLength(1)
  })

  test('a wrong key: the provider is named, the key is not', async () => {
    await using stack = new AsyncDisposableStack()
    const { model } = await setUp(stack, dialect, () => ({
      status: 401,
      json: { type: 'error', error: { message: 'Invalid key secret-key-1.', code: 401, status: 'x', type: 'y' } },
    }))
    const { error } = await failure(model.stream(request()))
    expect(error.kind).toBe('authentication')
    expect(error.message).toMatch(
      /^(OpenAI|Anthropic|Google Gemini|lab) \([\w.:]+\) answered 401: Invalid key \[redacted\]\.$/,
    )
  })

  test('a provider that does not begin is asked four times', async () => {
    await using stack = new AsyncDisposableStack()
    const { model, calls } = await setUp(
      stack,
      dialect,
      (_call, index) => (index === 0 ? undefined : { sse: [], end: 'hang' }),
      { firstByteTimeoutMs: 60 },
    )
    const { events, error } = await failure(model.stream(request()))
    expect(error.kind).toBe('timeout')
    expect(events.map((event) => event.type)).toEqual(['retry', 'retry', 'retry'])
    expect(calls).toHaveLength(4)
  })

  test('silence in the middle of an answer ends it without another request', async () => {
    await using stack = new AsyncDisposableStack()
    const { model, calls } = await setUp(
      stack,
      dialect,
      () => ({ sse: dialect.text(['Hel', 'lo']).slice(0, -2), end: 'hang' }),
      { idleTimeoutMs: 80 },
    )
    const { events, error } = await failure(model.stream(request()))
    expect(events[0]).toMatchObject({ type: 'text-delta' })
    expect(error.kind).toBe('timeout')
    expect(error.message).toContain('fell silent')
    expect(calls).toHaveLength(1)
  })

  test('a slow answer with short pauses comes to its end', async () => {
    await using stack = new AsyncDisposableStack()
    const { model } = await setUp(
      stack,
      dialect,
      () => ({ sse: dialect.text(['a', 'b', 'c', 'd', 'e']), pauseMs: 40 }),
      {
        firstByteTimeoutMs: 120,
        idleTimeoutMs: 120,
      },
    )
    const { reply } = await collect(model.stream(request()))
    expect(reply.finishReason).toBe('stop')
  })

  test.each(['cut', 'close'] as const)('an answer that breaks off (%s) is an error, not a reply', async (end) => {
    await using stack = new AsyncDisposableStack()
    // without its last pieces: the finish reason and what follows
    const pieces = dialect.text(['Hel', 'lo']).slice(0, dialect.name === 'google' ? -1 : -3)
    const { model, calls } = await setUp(stack, dialect, () => ({ sse: pieces, end }))
    const { events, error } = await failure(model.stream(request()))
    expect(events.some((event) => event.type === 'text-delta')).toBe(true)
    expect(error).toMatchObject({ name: 'ModelError', kind: 'connection' })
    expect(calls).toHaveLength(1)
  })

  test('an abort ends the stream at once', async () => {
    await using stack = new AsyncDisposableStack()
    const { model } = await setUp(stack, dialect, () => ({
      sse: dialect.text(['Hel', 'lo']).slice(0, -2),
      end: 'hang',
    }))
    const controller = new AbortController()
    let abortedAt = 0
    const watch = async (): Promise<void> => {
      for await (const event of model.stream(request({ signal: controller.signal }))) {
        if (event.type === 'text-delta' && abortedAt === 0) {
          abortedAt = performance.now()
          controller.abort()
        }
      }
    }
    await expect(watch()).rejects.toMatchObject({ name: 'ModelError', kind: 'aborted' })
    expect(performance.now() - abortedAt).toBeLessThan(3_000)
  })
})
