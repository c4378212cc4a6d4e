import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ModelError } from '#llm/model.ts'
import { statement } from '#store/db.ts'
import { type FakeProvider, startFakeProvider } from '../support/fake-provider.ts'
import { lastUserText, scriptedModel } from '../support/scripted-model.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

const KEY = 'sk-secret-of-the-operator'
const UNKNOWN_RUN = 'run-01234567-89ab-4def-8123-456789abcdef'
const UNKNOWN_STEP = 'step-01234567-89ab-4def-8123-456789abcdef'

interface Trace {
  request_json: Record<string, unknown>
  response_json: Record<string, unknown>
  [field: string]: unknown
}

async function newAgent(server: TestServer, model: string, over: object = {}): Promise<string> {
  const { status, body } = await server.request<{ id: string }>('POST', '/v1/agents/', {
    model,
    memory_blocks: [{ label: 'human', value: '' }],
    ...over,
  })
  expect(status, JSON.stringify(body)).toBe(200)
  return body.id
}

const send = (server: TestServer, agentId: string, input: string) =>
  server.request('POST', `/v1/agents/${agentId}/messages`, { input })

async function stepsOf(server: TestServer, agentId: string): Promise<{ id: string; run_id: string }[]> {
  return (await server.request<{ id: string; run_id: string }[]>('GET', `/v1/steps/?agent_id=${agentId}&order=asc`))
    .body
}

describe('what was said to a provider', () => {
  let fake: FakeProvider
  let server: TestServer
  beforeAll(async () => {
    fake = await startFakeProvider(
      (request) =>
        request.lastUserText.includes('limit') ? { fault: { kind: 'status', status: 400 } } : { text: 'Ahoy.' },
      { apiKey: KEY },
    )
    const baseUrl = fake.url
    server = await startTestServer({
      models: 'configured',
      config: {
        providerTraces: 'on',
        providers: [
          { name: 'anthropic', baseUrl, apiKey: KEY },
          { name: 'google_ai', baseUrl, apiKey: KEY },
          { name: 'openai', baseUrl, apiKey: KEY },
        ],
      },
    })
  })
  afterAll(async () => {
    await server.close()
    await fake.close()
  })

  const traceOf = async (stepId: string): Promise<Trace> => {
    const path = `/v1/steps/${stepId}/trace`
    await expect.poll(async () => (await server.request('GET', path)).body, { timeout: 5_000 }).not.toBeNull()
    return (await server.request<Trace>('GET', path)).body
  }

  it.each(['openai/gpt-4o-mini', 'anthropic/claude-haiku-4-5', 'google_ai/gemini-2.5-flash'])(
    '%s: the body as it was sent, and the answer, without the key',
    async (model) => {
      const agentId = await newAgent(server, model, { tags: ['b', 'a'] })
      await send(server, agentId, 'Hello')
      const [step] = await stepsOf(server, agentId)
      const trace = await traceOf(step?.id ?? '')
      expect(trace).toMatchObject({
        step_id: step?.id,
        run_id: step?.run_id,
        agent_id: agentId,
        agent_tags: ['a', 'b'],
        call_type: 'agent_step',
        llm_config: { handle: model },
        response_json: { content: [{ type: 'text', text: 'Ahoy.' }], tool_calls: [], finish_reason: 'stop' },
      })
      expect(trace.request_json).toEqual(fake.requests.at(-1)?.body)
      expect(JSON.stringify(trace)).not.toContain(KEY)
      const telemetry = await server.request('GET', `/v1/telemetry/${step?.id}`)
      expect(telemetry.body).toEqual(trace)
      const client = await server.sdk()
      expect(await client.steps.trace.retrieve(step?.id ?? '')).toEqual(trace)
    },
  )

  it('of a call that failed too', async () => {
    const agentId = await newAgent(server, 'openai/gpt-4o-mini')
    await send(server, agentId, 'limit')
    const [step] = await stepsOf(server, agentId)
    const trace = await traceOf(step?.id ?? '')
    expect(trace.response_json).toMatchObject({ error: { kind: 'bad_request', status: 400 } })
    expect(trace.request_json).toEqual(fake.requests.at(-1)?.body)
  })

  it('also where the model has no provider behind it', async () => {
    const agentId = await newAgent(server, 'perdure/demo')
    await send(server, agentId, 'Hello')
    const [step] = await stepsOf(server, agentId)
    const trace = await traceOf(step?.id ?? '')
    expect(trace.request_json).toMatchObject({ messages: expect.any(Array), tools: expect.any(Array) })
  })

  it('goes with its agent', async () => {
    const agentId = await newAgent(server, 'openai/gpt-4o-mini')
    await send(server, agentId, 'My secret')
    const [step] = await stepsOf(server, agentId)
    await traceOf(step?.id ?? '')
    const count = statement('test-count-traces', 'select count(*) as count from provider_traces where step_id = $1')
    const countOf = async () => (await server.context.db.query<{ count: number }>(count, [step?.id]))[0]?.count
    expect(await countOf()).toBe(1)
    expect((await server.request('DELETE', `/v1/agents/${agentId}`)).status).toBe(200)
    expect(await countOf()).toBe(0)
  })

  it('is not for other organisations', async () => {
    const agentId = await newAgent(server, 'openai/gpt-4o-mini')
    await send(server, agentId, 'Hello')
    const [step] = await stepsOf(server, agentId)
    await traceOf(step?.id ?? '')
    const { headers } = await server.addOrganization()
    for (const path of [`/v1/steps/${step?.id}/trace`, `/v1/telemetry/${step?.id}`]) {
      const foreign = await server.request('GET', path, undefined, headers)
      const unknown = await server.request('GET', path.replace(step?.id ?? '', UNKNOWN_STEP), undefined, headers)
      expect(foreign.status).toBe(404)
      expect(JSON.stringify(foreign.body)).toBe(JSON.stringify(unknown.body).replaceAll(UNKNOWN_STEP, step?.id ?? ''))
    }
  })
})

describe('a server that keeps no traces', () => {
  let server: TestServer
  let agentId: string
  let runId: string
  beforeAll(async () => {
    const { registry } = scriptedModel((request) => {
      const text = lastUserText(request)
      if (text === 'fail') return { error: new ModelError('rate_limit', 'slow down') }
      if (text === 'wait') return { text: 'At last.', delayMs: 1_500 }
      if (text === 'tools' && request.messages.at(-1)?.role !== 'tool') {
        const call = (label: string) => ({ name: 'memory_insert', arguments: { label, new_string: 'x' } })
        return { text: 'Moment.', toolCalls: [call('human'), call('nowhere')] }
      }
      return { text: 'Done.' }
    })
    server = await startTestServer({ models: registry })
    agentId = await newAgent(server, 'openai/gpt-4o-mini')
    await send(server, agentId, 'tools')
    runId = (await server.request<{ id: string }[]>('GET', '/v1/runs/')).body[0]?.id ?? ''
  })
  afterAll(() => server.close())

  it('says null for a step, 404 for one that is not there', async () => {
    const [step] = await stepsOf(server, agentId)
    for (const path of ['/v1/steps/:id/trace', '/v1/telemetry/:id']) {
      const ask = (id: string) => server.request('GET', path.replace(':id', id))
      expect(await ask(step?.id ?? '')).toMatchObject({ status: 200, body: null })
      expect((await ask(UNKNOWN_STEP)).status).toBe(404)
      expect((await ask('nonsense')).status).toBe(422)
    }
  })

  it('gives the course of a run as spans', async () => {
    const { status, body } = await server.request<Record<string, unknown>[]>('GET', `/v1/runs/${runId}/trace`)
    expect(status).toBe(200)
    expect(body.map((span) => [span.SpanName, span.StatusCode])).toEqual(
      expect.arrayContaining([
        ['agent_run', 'Ok'],
        ['time_to_first_token', 'Ok'],
        ['agent_step', 'Ok'],
        ['memory_insert', 'Ok'],
        ['memory_insert', 'Error'],
      ]),
    )
    expect(body).toHaveLength(6)
    const root = body.find((span) => span.ParentSpanId === '')
    expect(root?.SpanName).toBe('agent_run')
    const steps = await stepsOf(server, agentId)
    const ids = new Set(body.map((span) => span.SpanId))
    expect(ids.size).toBe(6)
    for (const span of body) {
      expect(span.TraceId).toMatch(/^[0-9a-f]{32}$/)
      if (span !== root) expect(ids).toContain(span.ParentSpanId)
    }
    expect(body.filter((span) => span.SpanName === 'agent_step')).toHaveLength(steps.length)
    const times = body.map((span) => String(span.Timestamp))
    expect(times).toEqual(times.toSorted())
    expect((await server.request<object[]>('GET', `/v1/runs/${runId}/trace?limit=2`)).body).toEqual(body.slice(0, 2))
    expect((await server.request('GET', `/v1/runs/${runId}/trace?limit=0`)).status).toBe(422)
  })

  it('a failed run has a failed root and a failed step', async () => {
    const failing = await newAgent(server, 'openai/gpt-4o-mini')
    await send(server, failing, 'fail')
    const [run] = (await server.request<{ id: string }[]>('GET', `/v1/runs/?agent_id=${failing}`)).body
    const { body } = await server.request<Record<string, unknown>[]>('GET', `/v1/runs/${run?.id}/trace`)
    expect(body.map((span) => [span.SpanName, span.StatusCode, span.StatusMessage])).toEqual([
      ['agent_run', 'Error', 'llm_api_error'],
      ['agent_step', 'Error', 'llm_rate_limit'],
    ])
  })

  it('gives the metrics of a run and of its steps', async () => {
    const { body } = await server.request<Record<string, unknown>>('GET', `/v1/runs/${runId}/metrics`)
    const tools = await server.request<{ id: string }[]>('GET', '/v1/tools/?name=memory_insert')
    expect(body).toMatchObject({ id: runId, agent_id: agentId, num_steps: 2, tools_used: [tools.body[0]?.id] })
    expect(Number(body.run_ns)).toBeGreaterThan(0)
    expect(Math.abs(Number(body.run_start_ns) / 1e6 - Date.now())).toBeLessThan(60_000)
    const [first, second] = await stepsOf(server, agentId)
    const metricsOf = async (id = '') =>
      (await server.request<Record<string, number | null>>('GET', `/v1/steps/${id}/metrics`)).body
    const withTools = await metricsOf(first?.id)
    expect(withTools.tool_execution_ns).toBeGreaterThan(0)
    expect(withTools.step_ns).toBeGreaterThan(withTools.tool_execution_ns ?? 0)
    expect((await metricsOf(second?.id)).tool_execution_ns).toBeNull()
  })

  it('lists the runs that work', async () => {
    const busy = await newAgent(server, 'openai/gpt-4o-mini')
    const { body: run } = await server.request('POST', `/v1/agents/${busy}/messages/async`, { input: 'wait' })
    const active = async (query = '') =>
      (await server.request<{ id: string }[]>('GET', `/v1/runs/active${query}`)).body.map(({ id }) => id)
    expect(await active()).toEqual([run.id])
    expect(await active(`?agent_id=${busy}`)).toEqual([run.id])
    expect(await active(`?agent_id=${agentId}`)).toEqual([])
    expect(await active('?background=true')).toEqual([run.id])
    expect(await active('?background=false')).toEqual([])
    const { headers } = await server.addOrganization()
    expect((await server.request('GET', '/v1/runs/active', undefined, headers)).body).toEqual([])
    expect((await server.request('GET', '/v1/runs/active?agent_id=x')).status).toBe(422)
    await expect.poll(() => active(), { timeout: 5_000 }).toEqual([])
  })

  it('runs of others and runs that are not there are the same', async () => {
    const { headers } = await server.addOrganization()
    for (const what of ['trace', 'metrics']) {
      const foreign = await server.request('GET', `/v1/runs/${runId}/${what}`, undefined, headers)
      const unknown = await server.request('GET', `/v1/runs/${UNKNOWN_RUN}/${what}`, undefined, headers)
      expect([foreign.status, unknown.status]).toEqual([404, 404])
      expect(JSON.stringify(foreign.body)).toBe(JSON.stringify(unknown.body).replaceAll(UNKNOWN_RUN, runId))
      expect((await server.request('GET', `/v1/runs/nonsense/${what}`)).status).toBe(422)
    }
  })
})
