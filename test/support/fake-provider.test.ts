import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { type FakeProvider, type FakeScript, startFakeProvider } from './fake-provider.ts'
import type { Fault, Json } from './fake-provider-dialect.ts'

let provider: FakeProvider
afterEach(() => provider?.close())
const start = async (script: FakeScript = () => ({ text: 'fine' })) => (provider = await startFakeProvider(script))

const PATHS = {
  openai: '/v1/chat/completions',
  anthropic: '/v1/messages',
  google: '/v1beta/models/gemini-3-pro-preview:generateContent',
} as const
type Kind = keyof typeof PATHS

const post = (path: string, body: unknown, signal: AbortSignal | null = null) =>
  fetch(provider.url + path, { method: 'POST', body: JSON.stringify(body), signal })

/** A request around messages in the protocol's own form. */
const wrap = (kind: Kind, messages: Json[], over: Json = {}): Json =>
  kind === 'google'
    ? { contents: messages, ...over }
    : { model: 'm', messages, ...(kind === 'anthropic' ? { max_tokens: 100 } : {}), ...over }

// the parts that transcripts are made of
const o = {
  user: (content: unknown = 'hi') => ({ role: 'user', content }),
  calls: (...ids: string[]) => ({
    role: 'assistant',
    content: null,
    tool_calls: ids.map((id) => ({ id, type: 'function', function: { name: 'f', arguments: '{}' } })),
  }),
  result: (tool_call_id: string, content: unknown = 'r') => ({ role: 'tool', tool_call_id, content }),
  say: (content: unknown = 'ok') => ({ role: 'assistant', content }),
}
const text = (value: string) => ({ type: 'text', text: value })
const a = {
  user: (...content: Json[]) => ({ role: 'user', content: content.length > 0 ? content : 'hi' }),
  say: (...content: Json[]) => ({ role: 'assistant', content }),
  use: (id: string, input: unknown = {}) => ({ type: 'tool_use', id, name: 'f', input }),
  result: (tool_use_id: string) => ({ type: 'tool_result', tool_use_id, content: 'r' }),
}
const g = {
  user: (...parts: Json[]) => ({ role: 'user', parts: parts.length > 0 ? parts : [{ text: 'hi' }] }),
  model: (...parts: Json[]) => ({ role: 'model', parts }),
  call: (name: string, thoughtSignature?: string) => ({
    functionCall: { name, args: {} },
    ...(thoughtSignature === undefined ? {} : { thoughtSignature }),
  }),
  response: (name: string) => ({ functionResponse: { name, response: { result: 'r' } } }),
}

const VALID: [string, Kind, Json[]][] = [
  ['a message', 'openai', [o.user()]],
  ['parts', 'openai', [{ role: 'system', content: 's' }, o.user([text('hi')])]],
  ['answered calls', 'openai', [o.user(), o.calls('1', '2'), o.result('2'), o.result('1'), o.say(), o.user()]],
  ['a repeated id in a later step', 'openai', [o.user(), o.calls('1'), o.result('1'), o.calls('1'), o.result('1')]],
  ['a message', 'anthropic', [a.user()]],
  [
    'answered calls',
    'anthropic',
    [a.user(), a.say(text('x'), a.use('1'), a.use('2')), a.user(a.result('1'), a.result('2'), text('and'))],
  ],
  ['a message', 'google', [g.user()]],
  [
    'a finished turn',
    'google',
    [g.user(), g.model(g.call('f')), g.user(g.response('f')), g.model({ text: 'ok' }), g.user()],
  ],
]

const INVALID: [string, Kind, Json[], RegExp][] = [
  ['no message', 'openai', [], /too short/],
  ['empty content', 'openai', [o.user('')], /content is empty/],
  ['empty part', 'openai', [o.user([text('')])], /text part is empty/],
  ['null without calls', 'openai', [o.user(), o.say(null)], /expected a string/],
  ['unanswered call at the end', 'openai', [o.user(), o.calls('1')], /no result: 1/],
  ['unanswered call before a message', 'openai', [o.user(), o.calls('1'), o.user()], /no result: 1/],
  ['result that comes late', 'openai', [o.user(), o.calls('1'), o.user(), o.result('1')], /no result: 1/],
  ['half of the results', 'openai', [o.user(), o.calls('1', '2'), o.result('1'), o.user()], /no result: 2/],
  ['two results', 'openai', [o.user(), o.calls('1'), o.result('1'), o.result('1')], /more than one result/],
  ['foreign result', 'openai', [o.user(), o.calls('1'), o.result('1'), o.result('9')], /belong to no call/],
  ['orphan result', 'openai', [o.user(), o.result('1')], /must be a response to a preceding/],
  ['repeated id', 'openai', [o.user(), o.calls('1', '1'), o.result('1')], /ids must be unique/],
  ['empty result', 'openai', [o.user(), o.calls('1'), o.result('1', '')], /result is empty/],
  ['two users', 'anthropic', [a.user(), a.user()], /alternate/],
  ['assistant first', 'anthropic', [a.say(text('x'))], /alternate/],
  ['assistant last', 'anthropic', [a.user(), a.say(text('x'))], /prefill/],
  ['blank text', 'anthropic', [a.user(text(' \n'))], /non-whitespace/],
  ['no content', 'anthropic', [a.user(), a.say(), a.user()], /non-empty content/],
  ['unanswered call', 'anthropic', [a.user(), a.say(a.use('1')), a.user()], /no result: 1/],
  [
    'half of the results',
    'anthropic',
    [a.user(), a.say(a.use('1'), a.use('2')), a.user(a.result('2'))],
    /no result: 1/,
  ],
  ['orphan result', 'anthropic', [a.user(a.result('1'))], /belong to no call/],
  ['two results', 'anthropic', [a.user(), a.say(a.use('1')), a.user(a.result('1'), a.result('1'))], /more than one/],
  ['results after text', 'anthropic', [a.user(), a.say(a.use('1')), a.user(text('x'), a.result('1'))], /come first/],
  [
    'repeated id',
    'anthropic',
    [a.user(), a.say(a.use('1')), a.user(a.result('1')), a.say(a.use('1')), a.user(a.result('1'))],
    /ids must be unique/,
  ],
  ['id with a colon', 'anthropic', [a.user(), a.say(a.use('a:1')), a.user(a.result('a:1'))], /match pattern/],
  ['input as text', 'anthropic', [a.user(), a.say(a.use('1', '{}')), a.user(a.result('1'))], /valid dictionary/],
  [
    'foreign signature',
    'anthropic',
    [a.user(), a.say({ type: 'thinking', thinking: 'x', signature: 'y' }, text('x')), a.user()],
    /signature/,
  ],
  ['empty parts', 'google', [{ role: 'user', parts: [] }], /must not be empty/],
  ['empty part', 'google', [g.user({})], /one initialized field/],
  ['wrong role', 'google', [{ role: 'assistant', parts: [{ text: 'x' }] }], /valid role/],
  ['model last', 'google', [g.user(), g.model({ text: 'x' })], /ends with a user role/],
  ['unanswered call', 'google', [g.user(), g.model(g.call('f')), g.user()], /1 calls, 0 responses/],
  ['orphan response', 'google', [g.user(), g.model({ text: 'x' }), g.user(g.response('f'))], /0 calls, 1 responses/],
  ['another name', 'google', [g.user(), g.model(g.call('f', 'x')), g.user(g.response('g'))], /does not fit/],
  [
    'call after a model turn',
    'google',
    [g.user(), g.model({ text: 'x' }), g.model(g.call('f')), g.user(g.response('f'))],
    /immediately after/,
  ],
  ['no signature', 'google', [g.user(), g.model(g.call('f')), g.user(g.response('f'))], /thought_signature/],
]

describe('the validator of the fake provider', () => {
  it.each(VALID)('accepts %s (%s)', async (_, kind, messages) => {
    await start()
    const response = await post(PATHS[kind], wrap(kind, messages))
    expect(await response.json()).not.toHaveProperty('error')
    expect(response.status).toBe(200)
    expect(provider.violations).toEqual([])
  })

  it.each(INVALID)('refuses %s (%s)', async (_, kind, messages, problem) => {
    await start()
    const response = await post(PATHS[kind], wrap(kind, messages))
    expect(response.status).toBe(400)
    expect(((await response.json()) as { error: { message: string } }).error.message).toMatch(problem)
    expect(provider.violations).toEqual([{ index: 0, kind, problem: expect.stringMatching(problem) }])
  })

  it('refuses tools, thinking and cache marks that the real ones refuse', async () => {
    await start()
    const openaiTool = { type: 'function', function: { name: 'f', parameters: { type: 'object' } } }
    const thinking = { type: 'enabled', budget_tokens: 1024 }
    const marked = Array.from({ length: 5 }, () => ({ ...text('x'), cache_control: { type: 'ephemeral' } }))
    const bodies: [Kind, Json][] = [
      ['openai', wrap('openai', [o.user()], { tools: [openaiTool, openaiTool] })],
      ['openai', wrap('openai', [o.user()], { parallel_tool_calls: true })],
      ['openai', wrap('openai', [o.user()], { tools: [] })],
      ['anthropic', wrap('anthropic', [a.user()], { thinking })],
      ['anthropic', wrap('anthropic', [a.user()], { thinking, max_tokens: 4096, temperature: 0.5 })],
      [
        'anthropic',
        wrap('anthropic', [a.user(), a.say(a.use('1')), a.user(a.result('1'))], { thinking, max_tokens: 4096 }),
      ],
      ['anthropic', wrap('anthropic', [a.user(...marked)])],
    ]
    for (const [kind, body] of bodies) expect((await post(PATHS[kind], body)).status).toBe(400)
    expect(provider.violations).toHaveLength(bodies.length)
  })
})

const REPLY = {
  reasoning: 'I think about it.',
  text: 'Here you are, with a few words.',
  toolCalls: [
    { name: 'f', arguments: { a: 1 } },
    { name: 'g', arguments: '{}' },
  ],
}
const dataOf = (stream: string): Json[] =>
  stream.split(/\r?\n/).flatMap((line) => (line.startsWith('data: {') ? [JSON.parse(line.slice(6)) as Json] : []))

describe('the replies of the fake provider', () => {
  it.each([
    ['openai', '/v1/chat/completions', wrap('openai', [o.user('hello')], { stream: true })],
    ['anthropic', '/v1/messages', wrap('anthropic', [a.user(text('hello'))], { stream: true })],
    [
      'google',
      '/v1beta/models/gemini-3-pro-preview:streamGenerateContent?alt=sse',
      wrap('google', [g.user({ text: 'hello' })]),
    ],
  ])('streams reasoning, text and calls as %s does', async (kind, path, body) => {
    await start((request) => ({ ...REPLY, text: `${REPLY.text} ${request.lastUserText}` }))
    const response = await post(path, body)
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    const stream = await response.text()
    expect(dataOf(stream).length).toBeGreaterThan(6)
    expect(stream).toMatch(/"name":"f"/)
    expect(stream).toMatch(/"name":"g"/)
    expect(stream).toMatch(
      kind === 'openai'
        ? /\[DONE\]/
        : kind === 'anthropic'
          ? /signature_delta[\s\S]*message_stop/
          : /"thought":true[\s\S]*"finishReason":"STOP"/,
    )
    expect(provider.requests[0]).toMatchObject({ kind, lastUserText: 'hello', isAfterTools: false, isStreaming: true })
  })

  it('gives its own reasoning and calls back to be replayed', async () => {
    await start(({ isAfterTools }) => (isAfterTools ? { text: 'done' } : REPLY))
    const said = (await (await post('/v1/messages', wrap('anthropic', [a.user()]))).json()) as { content: Json[] }
    const results = said.content.filter((block) => block.type === 'tool_use').map((block) => a.result(String(block.id)))
    const thinking = { type: 'enabled', budget_tokens: 1024 }
    const next = await post(
      '/v1/messages',
      wrap('anthropic', [a.user(), a.say(...said.content), a.user(...results)], { thinking, max_tokens: 2000 }),
    )
    expect(await next.json()).toMatchObject({ content: [text('done')] })
    const google = (await (await post(PATHS.google, wrap('google', [g.user()]))).json()) as {
      candidates: { content: Json }[]
    }
    const turn = [g.user(), google.candidates[0]?.content ?? {}, g.user(g.response('f'), g.response('g'))]
    expect((await post(PATHS.google, wrap('google', turn))).status).toBe(200)
    expect(provider.violations).toEqual([])
  })

  it('lists models as each provider does', async () => {
    await start()
    const list = async (path: string, headers: Record<string, string> = {}) =>
      (await fetch(provider.url + path, { headers })).json()
    expect(await list('/v1/models')).toMatchObject({ object: 'list', data: [{ id: 'gpt-4o-mini' }, {}, {}] })
    expect(await list('/v1/models', { 'anthropic-version': '2023-06-01' })).toMatchObject({
      data: [{ type: 'model' }, {}],
      has_more: false,
    })
    expect(await list('/v1beta/models')).toMatchObject({ models: [{ name: 'models/gemini-2.5-flash' }, {}, {}] })
    expect(await list('/models')).toMatchObject({ error: { message: 'Invalid URL (GET /models)' } })
  })

  it('fails as it is told to', async () => {
    const faults: Fault[] = [
      { kind: 'status', status: 429, retryAfter: '2' },
      { kind: 'status', status: 402 },
      { kind: 'context-limit' },
      { kind: 'cut', afterEvents: 2 },
      { kind: 'stream-error', afterEvents: 2, message: 'Overloaded' },
      { kind: 'garbage' },
      { kind: 'hang', afterEvents: 1 },
      { kind: 'hang', afterEvents: -1 },
    ]
    await start(({ index }) => ({ text: 'one two three four five', fault: faults[index] as Fault }))
    const send = (signal?: AbortSignal) =>
      post('/v1/chat/completions', wrap('openai', [o.user()], { stream: true }), signal)
    const limited = await send()
    expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '2'])
    expect((await send()).status).toBe(402)
    expect(await (await send()).json()).toMatchObject({ error: { code: 'context_length_exceeded' } })
    await expect((await send()).text()).rejects.toThrow()
    expect(await (await send()).text()).toContain('Overloaded')
    expect(await (await send()).text()).toContain('not')
    const hanging = await send(AbortSignal.timeout(100))
    expect(hanging.status).toBe(200)
    await expect(hanging.text()).rejects.toThrow()
    await expect(send(AbortSignal.timeout(100))).rejects.toThrow()
  })
})

describe('the process of the fake provider', () => {
  it.each(['instant-text', 'memory-tool', 'parallel-tools'])('%s answers from the transcript alone', async (mode) => {
    const script = fileURLToPath(new URL('./fake-provider-process.ts', import.meta.url))
    const child = spawn(process.execPath, [script, '--mode', mode, '--delay-ms', '5'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
      const { url } = JSON.parse(line) as { url: string }
      const ask = async (messages: Json[]) => {
        const body = JSON.stringify(wrap('openai', messages))
        const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', body })
        return (
          ((await response.json()) as { choices?: { message: Json & { tool_calls?: Json[] } }[] }).choices?.[0]
            ?.message ?? {}
        )
      }
      const first = await ask([o.user('m1')])
      expect(await ask([o.user('m1')])).toEqual(first)
      const calls =
        (first.tool_calls as { id: string; function: { name: string; arguments: string } }[] | undefined) ?? []
      const markers = {
        'instant-text': [],
        'memory-tool': ['fact:m1'],
        'parallel-tools': ['fact-a:m1', 'fact-b:m1', 'm1'],
      }
      expect(calls.map((call) => Object.values(JSON.parse(call.function.arguments) as Json).at(-1))).toEqual(
        markers[mode as 'memory-tool'],
      )
      if (calls.length > 0) {
        const answer = await ask([o.user('m1'), first, ...calls.map((call) => o.result(call.id))])
        expect(answer).toEqual({ role: 'assistant', content: 'answer:m1' })
        await ask([o.user('m1'), first])
        const report = (await (await fetch(`${url}/violations`)).json()) as { violations: Json[]; requests: number }
        expect([report.requests, report.violations.length]).toEqual([4, 1])
      }
    } finally {
      child.kill()
      await once(child, 'exit')
    }
  })
})
