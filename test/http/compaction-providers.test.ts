import { afterAll, beforeAll, expect, it } from 'vitest'
import { createModelRegistry } from '#llm/registry.ts'
import { createLogger } from '#platform/logger.ts'
import { type FakeProvider, startFakeProvider } from '../support/fake-provider.ts'
import type { FakeReply } from '../support/fake-provider-dialect.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

/** Three windows, filled by messages and results of tools, behind a summariser that does what the test says. */
const WINDOW = 8000
const FILLER_WORDS = 1800
const FILLER = 'word '.repeat(FILLER_WORDS)

const SUMMARISERS: Record<string, FakeReply> = {
  answers: { text: 'They spoke of boats.' },
  fails: { fault: { kind: 'status', status: 400, message: 'no such luck' } },
  hangs: { fault: { kind: 'hang', afterEvents: -1 } },
  'finds it too long': { fault: { kind: 'context-limit' } },
}
const HANDLES = ['openai/gpt-4o-mini', 'anthropic/claude-sonnet-4-5', 'google_ai/gemini-3-pro-preview']

let summarise: FakeReply = {}
let summaries: string[] = []
let provider: FakeProvider
let server: TestServer
beforeAll(async () => {
  provider = await startFakeProvider((request): FakeReply => {
    if (/<conversation>|This is not the user/.test(request.lastUserText)) {
      summaries.push(request.model)
      return summarise
    }
    if (request.isAfterTools) return { text: 'Done.' }
    if (!request.lastUserText.includes('search')) return { text: 'Noted.' }
    const search = (query: string) => ({ name: 'conversation_search', arguments: { query, roles: ['user'], limit: 1 } })
    return { text: 'Let me see.', toolCalls: [search('Zanzibar'), search('nothing')] }
  })
  const models = createModelRegistry({
    providers: ['openai', 'anthropic', 'google_ai'].map((name) => ({
      name,
      apiKey: 'k',
      baseUrl: `${provider.url}/${name === 'google_ai' ? 'v1beta' : 'v1'}`,
    })),
    openaiCompatible: [],
    firstByteTimeoutMs: 30_000,
    idleTimeoutMs: 30_000,
    logger: createLogger({ level: 'silent', format: 'json' }),
    firstDelayMs: 1,
  })
  server = await startTestServer({ models, config: { summaryTimeoutMs: 300 } })
})
afterAll(async () => {
  await server.close()
  await provider.close()
})

const CASES = Object.keys(SUMMARISERS).flatMap((what, row) =>
  HANDLES.map((handle, column) => ({
    what,
    handle,
    mode: (row + column) % 2 === 0 ? 'sliding_window' : 'self_compact_all',
  })),
)

it.each(CASES)('a strict provider accepts every request: the summariser $what, $handle, $mode', async (given) => {
  const { what, handle, mode } = given
  summarise = SUMMARISERS[what] ?? {}
  summaries = []
  const { body: agent } = await server.request<{ id: string; compaction_settings: { model: string } }>(
    'POST',
    '/v1/agents',
    { model: handle, context_window_limit: WINDOW, compaction_settings: { mode } },
  )
  const send = async (text: string) => {
    const { status, body } = await server.request('POST', `/v1/agents/${agent.id}/messages`, { input: text })
    expect([status, body.stop_reason], JSON.stringify(body)).toMatchObject([200, { stop_reason: 'end_turn' }])
    return JSON.stringify(body)
  }
  await send('My boat is called Zanzibar.')
  const turns = Math.ceil((WINDOW * 3) / FILLER_WORDS)
  for (let turn = 0; turn < turns; turn += 1) await send(`${turn % 3 === 0 ? 'search' : 'turn'} ${turn} ${FILLER}`)
  expect(await send('search: what is my boat called?')).toContain('My boat is called Zanzibar.')
  expect(summaries.length).toBeGreaterThan(1)
  // the cheap model of the provider, and the agent's own where that one refuses, unless it summarises itself
  const cheap = agent.compaction_settings.model
  expect(cheap).toMatch(/gpt-5-mini|claude-haiku-4-5|gemini-2.5-flash/)
  const asked = what === 'fails' || what === 'finds it too long' ? [cheap, handle] : [cheap]
  if (mode === 'sliding_window') expect(new Set(summaries)).toEqual(new Set(asked.map((name) => name.split('/')[1])))
  expect(provider.violations).toEqual([])
})
