import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { AgentWire } from '#http/v1/agents/agent-schema.ts'
import { ModelError } from '#llm/model.ts'
import { statement } from '#store/db.ts'
import { type ScriptedReply, scriptedModel } from '../support/scripted-model.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

const MODEL = 'openai/gpt-4o-mini'
let reply: ScriptedReply
const { registry, requests } = scriptedModel(() => reply)
let server: TestServer
let agent: AgentWire

beforeAll(async () => {
  server = await startTestServer({ models: registry })
  const settings = { provider_type: 'openai', temperature: 0.2, reasoning: { reasoning_effort: 'high' } }
  const body = { model: MODEL, model_settings: settings, memory_blocks: [{ label: 'human', value: 'Grace' }] }
  agent = (await server.request<AgentWire>('POST', '/v1/agents/', body)).body
})
afterAll(() => server.close())
beforeEach(() => {
  reply = { text: 'Forty-two.', usage: { inputTokens: 7, outputTokens: 3, cachedInputTokens: 2 } }
  requests.length = 0
})

interface Completion {
  content: string
  model: string
  usage: Record<string, unknown>
  detail: string
  error: { type: string }
}
const ask = (body: object, id = agent.id, headers?: Record<string, string>) =>
  server.request<Completion>('POST', `/v1/agents/${id}/generate`, body, headers)

const LEDGER = statement(
  'test-ledger',
  'select purpose, status, error_type, model_handle, input_tokens, output_tokens from provider_calls where agent_id = $1 order by id desc limit 1',
)
const newestCall = async () => (await server.context.db.query(LEDGER, [agent.id]))[0]

describe('generate_completion', () => {
  it('asks the model of the agent with its settings, and nothing else of it', async () => {
    const { status, body } = await ask({ prompt: 'What is the answer?', system_prompt: 'Be brief.' })
    expect([status, body.content, body.model]).toEqual([200, 'Forty-two.', MODEL])
    expect(body.usage).toMatchObject({
      prompt_tokens: 7,
      completion_tokens: 3,
      total_tokens: 10,
      step_count: 1,
      cached_input_tokens: 2,
    })
    expect(requests[0]).toMatchObject({
      messages: [
        { role: 'system', text: 'Be brief.' },
        { role: 'user', content: [{ type: 'text', text: 'What is the answer?' }] },
      ],
      tools: [],
      settings: { temperature: 0.2, reasoning_effort: 'high' },
    })
    expect(JSON.stringify(requests)).not.toContain('Grace')
    expect(await newestCall()).toEqual({
      purpose: 'generate',
      status: 'success',
      error_type: null,
      model_handle: MODEL,
      input_tokens: 7,
      output_tokens: 3,
    })
    const messages = await server.request<unknown[]>('GET', `/v1/agents/${agent.id}/messages`)
    expect(messages.body).toHaveLength(1)
    const after = await server.request<AgentWire>('GET', `/v1/agents/${agent.id}`)
    expect([after.body.updated_at, after.body.last_run_completion]).toEqual([agent.updated_at, null])
  })

  it('another model gets the settings that mean something to it', async () => {
    const { body } = await ask({ prompt: 'x', override_model: 'anthropic/claude-haiku-4-5' })
    expect(body.model).toBe('anthropic/claude-haiku-4-5')
    expect(requests[0]?.settings).toMatchObject({ temperature: 0.2 })
    expect(requests[0]?.settings).not.toHaveProperty('reasoning_effort')
  })

  it('with a schema the content is JSON', async () => {
    reply = { toolCalls: [{ name: 'give_answer', arguments: '{"n": 42,}' }] }
    const schema = { properties: { n: { type: 'integer' } }, required: ['n'] }
    const { body } = await ask({ prompt: 'x', response_schema: schema })
    expect(JSON.parse(body.content)).toEqual({ n: 42 })
    expect(requests[0]).toMatchObject({
      tools: [{ name: 'give_answer', parameters: { type: 'object', ...schema } }],
      toolChoice: { type: 'tool', name: 'give_answer' },
    })
    reply = { text: '{"n": 1}' }
    expect((await ask({ prompt: 'x', response_schema: schema })).body.content).toBe('{"n":1}')
    reply = { text: 'no' }
    const none = await ask({ prompt: 'x', response_schema: schema })
    expect([none.status, none.body.content]).toEqual([200, 'no'])
  })

  it.each([
    ['a blank prompt', 422, { prompt: ' \n' }],
    ['an empty prompt', 422, { prompt: '' }],
    ['no prompt', 422, {}],
    ['a number', 422, { prompt: 1 }],
    ['a schema that is none', 422, { prompt: 'x', response_schema: 'y' }],
    ['an unknown model', 404, { prompt: 'x', override_model: 'openai/none' }],
    ['a malformed handle', 400, { prompt: 'x', override_model: 'gpt' }],
  ])('%s: %i, and nobody is asked', async (_, status, body) => {
    expect((await ask(body)).status).toBe(status)
    expect(requests).toEqual([])
  })

  it("a provider's failure is told with its status and stands in the ledger", async () => {
    reply = { error: new ModelError('rate_limit', 'slow down', { status: 429 }) }
    const { status, body } = await ask({ prompt: 'x' })
    expect([status, body.error.type]).toEqual([429, 'llm_rate_limit'])
    expect(await newestCall()).toMatchObject({ status: 'failed', error_type: 'llm_rate_limit', input_tokens: 0 })
  })

  it('unknown, malformed and foreign agents', async () => {
    const unknown = await ask({ prompt: 'x' }, 'agent-01234567-89ab-4def-8123-456789abcdef')
    const { headers } = await server.addOrganization()
    const foreign = await ask({ prompt: 'x' }, agent.id, headers)
    expect([unknown.status, foreign.status]).toEqual([404, 404])
    expect(foreign.body.detail).toBe(
      unknown.body.detail.replace('agent-01234567-89ab-4def-8123-456789abcdef', agent.id),
    )
    expect((await ask({ prompt: 'x' }, 'agent-1')).status).toBe(422)
    expect(requests).toEqual([])
  })

  it('a client that goes away ends the call', async () => {
    reply = { text: 'late', delayMs: 30_000 }
    const url = `${await server.baseUrl()}/v1/agents/${agent.id}/generate`
    const leave = new AbortController()
    const asked = fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"prompt":"x"}',
      signal: leave.signal,
    })
    await expect.poll(() => requests.length).toBe(1)
    leave.abort()
    await expect(asked).rejects.toThrow()
    await expect.poll(newestCall).toMatchObject({ status: 'cancelled' })
  })
})
