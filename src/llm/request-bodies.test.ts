import { describe, expect, test } from 'vitest'
import { createLogger } from '#platform/logger.ts'
import { startScriptedProvider } from '../../test/support/scripted-provider.ts'
import { createModelFetch } from './fetch.ts'
import type { ContentPart, ModelRequest, TranscriptMessage } from './model.ts'
import { createModelRegistry } from './registry.ts'

/** The body that a model's provider gets for a request; the provider then refuses it. */
// biome-ignore lint/suspicious/noExplicitAny: bodies of four different APIs
async function bodyOf(handle: string, overrides: Partial<ModelRequest>): Promise<any> {
  await using server = await startScriptedProvider(({ body }) =>
    body === undefined ? { status: 404 } : { status: 400, json: { error: { message: 'no' } } },
  )
  const names = ['openai', 'anthropic', 'google_ai', 'mistral', 'deepseek', 'groq']
  const registry = createModelRegistry({
    providers: names.map((name) => ({ name, apiKey: 'k', baseUrl: undefined })),
    openaiCompatible: [],
    firstByteTimeoutMs: 2_000,
    idleTimeoutMs: 2_000,
    logger: createLogger({ level: 'silent', format: 'json' }),
    createFetch: (options) => {
      const fetch = createModelFetch(options)
      return (url, init) => fetch(String(url).replace(/^https:\/\/[^/]+/, server.url), init)
    },
  })
  const model = await registry.getModel(handle, null)
  const request: ModelRequest = {
    messages: [
      { role: 'system', text: 'You are kind.' },
      { role: 'user', content: [{ type: 'text', text: 'Hello' }] },
    ],
    tools: [],
    toolChoice: { type: 'auto' },
    settings: {},
    signal: new AbortController().signal,
    ...overrides,
  }
  const sentBefore = server.requests.length
  const preview = await model.preview?.(request)
  expect(server.requests.length).toBe(sentBefore)
  await expect(Array.fromAsync(model.stream(request))).rejects.toMatchObject({ kind: 'bad_request' })
  const body = server.requests.at(-1)?.body
  // what is shown of a request is what is sent
  expect(preview).toEqual(body)
  return body
}

const tool = (name: string) => ({ name, description: name, parameters: { type: 'object', properties: {} } })
const call = (id: string) => ({ tool_call_id: id, name: 'a', arguments: '{"x":1}' })
const result = (id: string) => ({ tool_call_id: id, name: 'a', status: 'success', text: `result ${id}` }) as const

describe('openai', () => {
  test('chat: settings under their names', async () => {
    const body = await bodyOf('openai/gpt-4o', {
      tools: [tool('a')],
      toolChoice: { type: 'tool', name: 'a' },
      settings: { temperature: 0.3, max_output_tokens: 99, parallel_tool_calls: false, reasoning_effort: 'high' },
      user: 'user-1',
    })
    expect(body).toMatchObject({
      temperature: 0.3,
      parallel_tool_calls: false,
      tool_choice: { type: 'function', function: { name: 'a' } },
      user: 'user-1',
      stream_options: { include_usage: true },
    })
    expect(body.max_tokens ?? body.max_completion_tokens).toBe(99)
    expect(body).not.toHaveProperty('reasoning_effort')
  })

  test('reasoning models: Responses API, nothing stored, reasoning encrypted, no temperature', async () => {
    const body = await bodyOf('openai/gpt-5-mini', {
      tools: [tool('a')],
      settings: { temperature: 0.3, max_output_tokens: 99, reasoning_effort: 'low', verbosity: 'low' },
    })
    expect(body).toMatchObject({
      store: false,
      include: ['reasoning.encrypted_content'],
      reasoning: { effort: 'low', summary: 'auto' },
      text: { verbosity: 'low' },
      max_output_tokens: 99,
      tools: [{ type: 'function', name: 'a', strict: false }],
    })
    expect(body).not.toHaveProperty('temperature')
  })

  test('an answer by schema', async () => {
    const schema = {
      type: 'object',
      properties: { mood: { type: 'string' } },
      required: ['mood'],
      additionalProperties: false,
    }
    const settings = { response_format: { type: 'json_schema', json_schema: { name: 'mood', schema, strict: true } } }
    const chat = await bodyOf('openai/gpt-4o', { settings })
    expect(chat.response_format).toEqual({ type: 'json_schema', json_schema: { name: 'mood', schema, strict: true } })
    const responses = await bodyOf('openai/gpt-5-mini', { settings })
    expect(responses.text.format).toMatchObject({ type: 'json_schema', name: 'mood', schema, strict: true })
    const plain = await bodyOf('groq/llama-3.3-70b-versatile', {
      settings: { response_format: { type: 'json_object' } },
    })
    expect(plain.response_format).toEqual({ type: 'json_object' })
  })
})

describe('anthropic', () => {
  test('thinking has a budget, and gives way to a forced tool', async () => {
    const settings = { reasoning_budget_tokens: 100, max_output_tokens: 500, temperature: 0.5 }
    const body = await bodyOf('anthropic/claude-sonnet-4-5', { settings })
    expect(body).toMatchObject({ thinking: { type: 'enabled', budget_tokens: 1024 }, max_tokens: 1524 })
    expect(body).not.toHaveProperty('temperature')
    const forced = await bodyOf('anthropic/claude-sonnet-4-5', {
      settings,
      tools: [tool('a')],
      toolChoice: { type: 'required' },
    })
    expect(forced.thinking?.type).not.toBe('enabled')
    expect(forced.tool_choice).toMatchObject({ type: 'any' })
  })

  test('thinking waits for the next turn where this one began without it', async () => {
    const settings = { reasoning_budget_tokens: 2000 }
    const begin = (content: ContentPart[]): TranscriptMessage[] => [
      { role: 'user', content: [{ type: 'text', text: 'Hello' }] },
      { role: 'assistant', content, toolCalls: [call('t1')] },
      { role: 'tool', results: [result('t1')] },
    ]
    const thought: ContentPart = { type: 'reasoning', reasoning: 'Hm.', signature: 's' }
    const foreign: ContentPart = { ...thought, provider_metadata: { openai: { itemId: 'rs_1' } } }
    const thinkingAfter = async (messages: TranscriptMessage[]) =>
      (await bodyOf('anthropic/claude-sonnet-4-5', { settings, tools: [tool('a')], messages })).thinking?.type
    expect(await thinkingAfter(begin([thought]))).toBe('enabled')
    expect(await thinkingAfter(begin([]))).not.toBe('enabled')
    expect(await thinkingAfter(begin([foreign]))).not.toBe('enabled')
    expect(await thinkingAfter([...begin([]), ...begin([thought])])).toBe('enabled')
  })

  test('one tool at a time, and the user', async () => {
    const body = await bodyOf('anthropic/claude-sonnet-4-5', {
      tools: [tool('a')],
      settings: { parallel_tool_calls: false },
      user: 'user-1',
    })
    expect(body.tool_choice).toMatchObject({ disable_parallel_tool_use: true })
    expect(body.metadata).toEqual({ user_id: 'user-1' })
  })

  test('marks what is worth caching, and leaves everything before the new messages as it was', async () => {
    const first: TranscriptMessage[] = [
      { role: 'system', text: 'You are kind.' },
      { role: 'user', content: [{ type: 'text', text: 'Hello' }] },
    ]
    const second: TranscriptMessage[] = [
      ...first,
      { role: 'assistant', content: [{ type: 'text', text: 'I look' }], toolCalls: [call('t1'), call('t2')] },
      { role: 'tool', results: [result('t1'), result('t2')] },
    ]
    const tools = [tool('a'), tool('b')]
    const before = await bodyOf('anthropic/claude-sonnet-4-5', { messages: first, tools })
    const after = await bodyOf('anthropic/claude-sonnet-4-5', { messages: second, tools })
    const marker = { type: 'ephemeral' }
    for (const body of [before, after]) {
      expect(body.system.at(-1).cache_control).toEqual(marker)
      expect(body.tools.map((entry: { cache_control?: unknown }) => entry.cache_control)).toEqual([undefined, marker])
      expect(body.messages.at(-1).content.at(-1).cache_control).toEqual(marker)
      expect(JSON.stringify(body).match(/"cache_control"/g)).toHaveLength(3)
    }
    expect(JSON.stringify([after.tools, after.system])).toBe(JSON.stringify([before.tools, before.system]))
    const unmarked = (messages: unknown[]) =>
      messages.map((message) => JSON.stringify(message, (key, value) => (key === 'cache_control' ? undefined : value)))
    expect(unmarked(after.messages).slice(0, before.messages.length)).toEqual(unmarked(before.messages))
  })
})

test('gemini: thinking that is shown, and its budget', async () => {
  const body = await bodyOf('google_ai/gemini-2.5-flash', {
    settings: { reasoning_budget_tokens: 512, temperature: 0.2 },
  })
  expect(body.generationConfig).toMatchObject({
    temperature: 0.2,
    thinkingConfig: { thinkingBudget: 512, includeThoughts: true },
  })
  const off = await bodyOf('google_ai/gemini-2.5-flash', { settings: { reasoning_budget_tokens: 0 } })
  expect(off.generationConfig.thinkingConfig).toEqual({ thinkingBudget: 0, includeThoughts: false })
})

test('mistral: short call ids that match, and no field that it refuses', async () => {
  const body = await bodyOf('mistral/mistral-large-latest', {
    messages: [
      { role: 'user', content: [{ type: 'text', text: 'Hello' }] },
      { role: 'assistant', content: [], toolCalls: [call('call_a_long_one'), call('AbCdEfGh1')] },
      { role: 'tool', results: [result('call_a_long_one'), result('AbCdEfGh1')] },
    ],
    user: 'user-1',
  })
  const [, assistant, ...results] = body.messages
  const ids = assistant.tool_calls.map(({ id }: { id: string }) => id)
  expect(ids[0]).toMatch(/^[a-z0-9]{9}$/)
  expect(ids[1]).toBe('AbCdEfGh1')
  expect(results.map((message: { tool_call_id: string }) => message.tool_call_id)).toEqual(ids)
  expect(body).not.toHaveProperty('user')
  expect(body).not.toHaveProperty('stream_options')
})

test('deepseek: the reasoning of the present turn goes back, that of earlier ones does not', async () => {
  const thought = (reasoning: string) => ({ type: 'reasoning', reasoning }) as const
  const body = await bodyOf('deepseek/deepseek-reasoner', {
    messages: [
      { role: 'user', content: [{ type: 'text', text: 'one' }] },
      { role: 'assistant', content: [thought('old'), { type: 'text', text: 'answer' }], toolCalls: [] },
      { role: 'user', content: [{ type: 'text', text: 'two' }] },
      { role: 'assistant', content: [thought('new')], toolCalls: [call('t1')] },
      { role: 'tool', results: [result('t1')] },
    ],
  })
  expect(body.messages[1]).not.toHaveProperty('reasoning_content')
  expect(body.messages[3]).toMatchObject({ reasoning_content: 'new' })
})
