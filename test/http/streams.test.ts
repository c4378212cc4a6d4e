import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DEFAULT_ORGANIZATION_ID } from '#platform/ids.ts'
import { deleteOldRunEvents, trimRunEvents } from '#store/run-events/delete-run-events.ts'
import { lastUserText, scriptedModel } from '../support/scripted-model.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

interface Event {
  id: string | undefined
  data: { message_type?: string; run_id?: string; seq_id?: number | null; content?: string; stop_reason?: string }
}

const ANSWER = 'The quick brown fox jumps over the lazy dog, and over the river, and is gone.'

let server: TestServer
let baseUrl: string
let agentId: string
beforeAll(async () => {
  const { registry } = scriptedModel((request) => {
    const text = lastUserText(request)
    const last = request.messages.at(-1)
    if (text === 'slow') return { text: ANSWER, delayMs: 1500 }
    if (text === 'never') return { text: ANSWER, delayMs: 60_000 }
    if (text === 'tool' && last?.role === 'user') {
      return { toolCalls: [{ name: 'memory_insert', arguments: { label: 'human', new_string: 'x' } }] }
    }
    return { text: ANSWER }
  })
  server = await startTestServer({ models: registry })
  baseUrl = await server.baseUrl()
  agentId = await newAgent()
})
afterAll(() => server.close())

async function newAgent(): Promise<string> {
  const agent = await server.request<{ id: string }>('POST', '/v1/agents/', {
    model: 'openai/gpt-4o-mini',
    memory_blocks: [{ label: 'human', value: '' }],
  })
  return agent.body.id
}

const post = (path: string, body: object, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${baseUrl}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })

/** The events of a stream, without pings, and whether it came to its end. */
async function read(response: Response): Promise<{ events: Event[]; isDone: boolean; text: string }> {
  const text = await response.text()
  const frames = text.split('\n\n').filter((frame) => frame.includes('data: '))
  const isDone = frames.at(-1) === 'data: [DONE]'
  const events = frames.slice(0, isDone ? -1 : undefined).map((frame) => ({
    id: /^id: (.*)$/m.exec(frame)?.[1],
    data: JSON.parse(/^data: (.*)$/m.exec(frame)?.[1] ?? 'null'),
  }))
  return { events: events.filter(({ data }) => data.message_type !== 'ping'), isDone, text }
}

const said = (events: readonly Event[]): string =>
  events.map(({ data }) => (data.message_type === 'assistant_message' ? data.content : '')).join('')

async function startRun(input: string, over: object = {}, agent = agentId): Promise<string> {
  const response = await post(`/v1/agents/${agent}/messages/stream`, { input, background: true, ...over })
  const reader = response.body?.getReader()
  const { value } = (await reader?.read()) ?? {}
  await reader?.cancel()
  const runId = /"run_id":"(run-[^"]+)"/.exec(new TextDecoder().decode(value))?.[1]
  if (runId === undefined) throw new Error('the ping did not name the run')
  return runId
}

describe('the events of a stream', () => {
  it('name their run and are numbered, in a foreground stream too, and give the text', async () => {
    const { events, isDone } = await read(
      await post(`/v1/agents/${agentId}/messages/stream`, { input: 'tool', stream_tokens: true }),
    )
    expect(isDone).toBe(true)
    expect(said(events)).toBe(ANSWER)
    expect(new Set(events.map(({ data }) => data.run_id)).size).toBe(1)
    const seqs = events.map(({ data }) => data.seq_id ?? 0)
    expect(seqs[0]).toBe(1)
    expect(seqs).toEqual([...new Set(seqs)].toSorted((a, b) => a - b))
    expect(events.map(({ id }) => id)).toEqual(seqs.map(String))
    expect(events.slice(-2).map(({ data }) => data.message_type)).toEqual(['stop_reason', 'usage_statistics'])
  })

  it('can be read again from each of them on, with the same bytes', async () => {
    for (const over of [{ stream_tokens: true }, {}]) {
      const whole = await read(await post(`/v1/agents/${agentId}/messages/stream`, { input: 'tool', ...over }))
      const runId = whole.events[0]?.data.run_id
      for (let known = 0; known <= whole.events.length; known += 1) {
        const starting_after = known === 0 ? 0 : whole.events[known - 1]?.data.seq_id
        const rest = await read(await post(`/v1/runs/${runId}/stream`, { starting_after }))
        expect(rest.isDone).toBe(true)
        const stable = (events: Event[]) => JSON.stringify(events).replaceAll(/"date":"[^"]*"/g, '')
        expect(stable(rest.events)).toBe(stable(whole.events.slice(known)))
      }
    }
  })

  it('go on where Last-Event-ID says', async () => {
    const whole = await read(await post(`/v1/agents/${agentId}/messages/stream`, { input: 'hi', stream_tokens: true }))
    const runId = whole.events[0]?.data.run_id
    const cut = whole.events[3]?.id ?? ''
    const rest = await read(await post(`/v1/runs/${runId}/stream`, {}, { 'last-event-id': cut }))
    expect(rest.events.map(({ id }) => id)).toEqual(whole.events.slice(4).map(({ id }) => id))
    expect((await post(`/v1/runs/${runId}/stream`, {}, { 'last-event-id': 'x' })).status).toBe(422)
  })

  it('are followed live by whoever comes later', async () => {
    const runId = await startRun('slow', { stream_tokens: true })
    const streams = await Promise.all(Array.from({ length: 5 }, () => post(`/v1/runs/${runId}/stream`, {}).then(read)))
    for (const { events, isDone } of streams) {
      expect(said(events)).toBe(ANSWER)
      expect(isDone).toBe(true)
      expect(events.filter(({ data }) => data.message_type === 'stop_reason')).toHaveLength(1)
    }
  })

  it('of a run that the client asked for without a stream come message by message', async () => {
    const run = (await (await post(`/v1/agents/${agentId}/messages/async`, { input: 'slow' })).json()) as { id: string }
    const { events } = await read(await post(`/v1/runs/${run.id}/stream`, {}))
    expect(events.map(({ data }) => data.message_type)).toEqual([
      'assistant_message',
      'stop_reason',
      'usage_statistics',
    ])
    expect(said(events)).toBe(ANSWER)
  })

  it('of a run that was cancelled while it waited are its end', async () => {
    const agent = await newAgent()
    const first = await startRun('never', {}, agent)
    const queued = (await (await post(`/v1/agents/${agent}/messages/async`, { input: 'hi' })).json()) as { id: string }
    const stream = post(`/v1/runs/${queued.id}/stream`, {}).then(read)
    await post(`/v1/agents/${agent}/messages/cancel`, { run_ids: [queued.id] })
    for (const { events, isDone } of [await stream, await read(await post(`/v1/runs/${queued.id}/stream`, {}))]) {
      expect(events.map(({ data }) => data.stop_reason ?? data.message_type)).toEqual(['cancelled', 'usage_statistics'])
      expect(isDone).toBe(true)
    }
    await post(`/v1/agents/${agent}/messages/cancel`, { run_ids: [first] })
  })
})

describe('a stream of a conversation', () => {
  it('is that of its newest run which has not ended, or of the one that is named', async () => {
    const agent = await newAgent()
    const runId = await startRun('slow', {}, agent)
    const streams = [
      await post('/v1/conversations/default/stream', { agent_id: agent }),
      await post(`/v1/conversations/${agent}/stream`, {}),
      await post('/v1/conversations/default/stream', { run_id: runId }),
    ]
    for (const stream of streams) {
      const { events } = await read(stream)
      expect(events[0]?.data.run_id).toBe(runId)
      expect(said(events)).toBe(ANSWER)
    }
  })

  it('says what is missing', async () => {
    const agent = await newAgent()
    const none = await post(`/v1/conversations/${agent}/stream`, {})
    expect([none.status, await none.json()]).toMatchObject([
      400,
      { detail: 'No active runs found for this conversation.' },
    ])
    expect((await post('/v1/conversations/default/stream', {})).status).toBe(422)
    expect((await post(`/v1/conversations/conv-${crypto.randomUUID()}/stream`, {})).status).toBe(404)
    expect((await post(`/v1/runs/run-${crypto.randomUUID()}/stream`, {})).status).toBe(404)
  })
})

describe('a stream that is not kept any more', () => {
  it('is gone, with a pointer to the messages', async () => {
    const whole = await read(await post(`/v1/agents/${agentId}/messages/stream`, { input: 'hi', stream_tokens: true }))
    const runId = whole.events[0]?.data.run_id ?? ''
    const { db } = server.context
    await trimRunEvents(db, DEFAULT_ORGANIZATION_ID, runId, 2)
    expect((await post(`/v1/runs/${runId}/stream`, {})).status).toBe(410)
    await new Promise((resolve) => setTimeout(resolve, 20))
    await deleteOldRunEvents(db, 1, 100_000)
    const gone = await post(`/v1/runs/${runId}/stream`, {})
    expect(gone.status).toBe(410)
    expect(((await gone.json()) as { detail: string }).detail).toContain(`GET /v1/runs/${runId}/messages`)
  })
})

describe('a server that stops', () => {
  it('tells its streams to come again, and does not call them complete', async () => {
    const other = await startTestServer({ models: scriptedModel(() => ({ text: 'x', delayMs: 60_000 })).registry })
    const agent = await other.request<{ id: string }>('POST', '/v1/agents/', { model: 'openai/gpt-4o-mini' })
    const response = await fetch(`${await other.baseUrl()}/v1/agents/${agent.body.id}/messages/stream`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"input":"hi"}',
    })
    other.context.shutdown.callLast()
    const { isDone, text } = await read(response)
    expect(isDone).toBe(false)
    expect(text).toMatch(/\nretry: \d+\n/)
    await other.close()
  })
})

it('of an agent that is deleted meanwhile ends, and blames no fault of the server; who waits for the answer is told 404', async () => {
  const id = await newAgent()
  const streaming = read(await post(`/v1/agents/${id}/messages/stream`, { input: 'slow' }))
  const waiting = post(`/v1/agents/${id}/messages`, { input: 'slow' })
  await expect.poll(async () => (await server.request<object[]>('GET', `/v1/runs/?agent_id=${id}`)).body.length).toBe(2)
  await server.request('DELETE', `/v1/agents/${id}`)
  const { text, isDone } = await streaming
  expect(isDone).toBe(true)
  expect(text).toContain('"error_type":"stream_incomplete"')
  expect(text).not.toContain('internal_error')
  expect((await waiting).status).toBe(404)
})
