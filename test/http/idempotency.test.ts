import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { ModelError } from '#llm/model.ts'
import { type Db, statement } from '#store/db.ts'
import { faultyDb } from '../support/faulty-db.ts'
import { lastUserText, type Script, scriptedModel } from '../support/scripted-model.ts'
import { openTestDatabase } from '../support/test-database.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

interface Answer {
  messages: { message_type: string; content?: string; run_id: string }[]
  run_id?: string
  detail?: string
}
type Events = { run_id: string; message_type: string }[]

let db: Db
let round = 0
let known: string[] = []
const PATIENCE = { timeout: 15_000 }
const open: AsyncDisposable[] = []
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db[Symbol.asyncDispose]())
beforeEach(async () => {
  round += 1
  known = (await db.query<{ id: string }>(statement('test-list-runs', 'select r.id from runs as r'))).map(
    (row) => row.id,
  )
})
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]()
})

const echo: Script = (request) => ({ text: `re ${lastUserText(request)}` })

/** Each a replica of its own on one database. */
async function startServer(script: Script, own = db): Promise<TestServer> {
  const server = await startTestServer({ models: scriptedModel(script).registry, db: own })
  open.push({ [Symbol.asyncDispose]: () => server.close() })
  return server
}

async function newAgent(server: TestServer): Promise<string> {
  const { body } = await server.request<{ id: string }>('POST', '/v1/agents/', { model: 'openai/gpt-4o-mini' })
  return body.id
}

const say = (text: string, more: object = {}) => ({ messages: [{ role: 'user', content: text, ...more }] })
const key = (name: string) => ({ 'idempotency-key': `${round} ${name}` })
const wholeKey = (name: string) => ({ 'idempotency-key': name })
const events = (text: unknown): Events =>
  [...String(text).matchAll(/^data: (\{.*\})$/gm)]
    .map(([, json]) => JSON.parse(json ?? '') as Events[number])
    .filter((event) => event.message_type !== 'ping')

/** Runs that this test has started. */
async function countRuns(): Promise<number> {
  const [row] = await db.query<{ count: number }>(
    statement('test-count-runs', 'select count(*)::integer as count from runs as r where not r.id = any($1::text[])'),
    [known],
  )
  return row?.count ?? -1
}

async function expireKeys(): Promise<void> {
  await db.query(statement('test-expire-keys', `update idempotency_keys set expires_at = now() - interval '1 second'`))
}

const textOf = (answer: Answer) => answer.messages.map((message) => message.content ?? message.message_type)

test('a message with a key is answered once, and the answer is the same as often as it is asked for', async () => {
  const server = await startServer(echo)
  const url = `/v1/agents/${await newAgent(server)}/messages`
  const first = await server.request<Answer>('POST', url, say('one'), key('k1'))
  expect(first.status).toBe(200)
  expect(first.headers['idempotency-replayed']).toBeUndefined()
  const again = await server.request<Answer>('POST', url, say('one'), key('k1'))
  expect(again.body).toEqual(first.body)
  expect(again.headers['idempotency-replayed']).toBe('true')
  const crowd = await Promise.all(Array.from({ length: 20 }, () => server.request('POST', url, say('two'), key('k2'))))
  expect(new Set(crowd.map(({ body }) => JSON.stringify(body))).size).toBe(1)
  expect(await countRuns()).toBe(2)
  const streamed = await server.request<Answer>('POST', url, say('two'), key('k3'))
  expect(textOf(streamed.body)).toEqual(textOf(crowd[0]?.body as unknown as Answer))
  expect(await countRuns()).toBe(3)
})

test('the same key with another body is refused, and nothing happens', async () => {
  const server = await startServer(echo)
  const url = `/v1/agents/${await newAgent(server)}/messages`
  await server.request('POST', url, say('one'), key('k1'))
  const other = await server.request<Answer>('POST', url, say('other'), key('k1'))
  expect(other).toMatchObject({ status: 422, body: { detail: expect.stringContaining('another request body') } })
  // the order of fields is no difference; another agent is another operation
  const reordered = { messages: [{ content: 'one', role: 'user' }] }
  expect((await server.request('POST', url, reordered, key('k1'))).headers['idempotency-replayed']).toBe('true')
  expect(await countRuns()).toBe(1)
  const elsewhere = `/v1/agents/${await newAgent(server)}/messages`
  expect((await server.request('POST', elsewhere, say('other'), key('k1'))).status).toBe(200)
  expect(await countRuns()).toBe(2)
})

test.each(['', 'x'.repeat(256), 'tab\tin it', 'ümlaut'])('the key %j is refused', async (name) => {
  const server = await startServer(echo)
  const agentId = await newAgent(server)
  const refused = await server.request('POST', `/v1/agents/${agentId}/messages`, say('one'), wholeKey(name))
  expect(refused).toMatchObject({ status: 422, body: { detail: expect.stringContaining('1 to 255') } })
  expect((await server.request('PATCH', `/v1/agents/${agentId}`, { name: 'x' }, wholeKey(name))).status).toBe(422)
  expect((await server.request('GET', `/v1/agents/${agentId}`, undefined, wholeKey(name))).status).toBe(200)
  expect(
    (await server.request('POST', `/v1/agents/${agentId}/messages`, say('one'), wholeKey('x'.repeat(255)))).status,
  ).toBe(200)
})

test('a stream and an asynchronous run come again under their key; a key is forgotten after its time', async () => {
  const server = await startServer(echo)
  const agentId = await newAgent(server)
  const url = `/v1/agents/${agentId}/messages`
  const first = await server.request('POST', `${url}/stream`, { ...say('one'), stream_tokens: true }, key('k1'))
  const again = await server.request('POST', `${url}/stream`, { ...say('one'), stream_tokens: true }, key('k1'))
  const stable = (body: unknown) => events(body).map((event) => ({ ...event, date: undefined }))
  expect(stable(first.body).length).toBeGreaterThan(3)
  expect(stable(again.body)).toEqual(stable(first.body))
  expect(again.headers['idempotency-replayed']).toBe('true')

  const run = await server.request<{ id: string }>('POST', `${url}/async`, say('two'), key('k2'))
  const sameRun = await server.request<{ id: string }>('POST', `${url}/async`, say('two'), key('k2'))
  expect(sameRun.body.id).toBe(run.body.id)
  await server.context.runs.idle()
  await expireKeys()
  const later = await server.request<{ id: string }>('POST', `${url}/async`, say('two'), key('k2'))
  expect(later.body.id).not.toBe(run.body.id)
  expect(await countRuns()).toBe(3)
  await server.context.runs.idle()
  // its run was deleted: it cannot be answered again, and is not done again
  expect((await server.request('DELETE', `/v1/runs/${later.body.id}`)).status).toBe(200)
  expect((await server.request('POST', `${url}/async`, say('two'), key('k2'))).status).toBe(410)
  await server.request('DELETE', `/v1/agents/${agentId}`)
  expect((await server.request('POST', `${url}/async`, say('two'), key('k2'))).status).toBe(404)
})

test('a run that failed fails again in the same way, also on a server that was started since', async () => {
  const script: Script = () => ({ error: new ModelError('overloaded', 'Too much to do.', { retryAfterMs: 7000 }) })
  const before = await startServer(script, db)
  const url = `/v1/agents/${await newAgent(before)}/messages`
  const first = await before.request('POST', url, say('one'), key('k1'))
  expect(first).toMatchObject({ status: 503, body: { error: { message: 'Too much to do.' } } })
  const after = await startServer(echo, db)
  const again = await after.request('POST', url, say('one'), key('k1'))
  expect([again.status, again.body, again.headers['retry-after']]).toEqual([503, first.body, '7'])
  expect((await after.request('POST', url, say('one'), key('k2'))).status).toBe(200)
})

test('an answer of the database that gets lost does not make a second run when the client tries again', async () => {
  let losses = 0
  const faulty = faultyDb(db, ({ name }) => {
    const isHit = (name === 'start-run' || name === 'claim-request-key') && losses < 2 && name !== lost.at(-1)
    if (isHit) {
      losses += 1
      lost.push(name)
    }
    return { kind: isHit ? 'after' : 'none' }
  })
  const lost: string[] = []
  const server = await startServer(echo, faulty)
  const agentId = await newAgent(server)
  const url = `/v1/agents/${agentId}/messages`
  expect((await server.request('POST', url, say('one'), key('k1'))).status).toBe(503)
  const again = await server.request<Answer>('POST', url, say('one'), key('k1'))
  expect(textOf(again.body)).toEqual(['re one'])
  expect(await countRuns()).toBe(1)
  expect((await server.request('POST', '/v1/blocks/', { label: 'l', value: 'v' }, key('k2'))).status).toBe(503)
  expect((await server.request('POST', '/v1/blocks/', { label: 'l', value: 'v' }, key('k2'))).status).toBe(200)
  expect(lost).toEqual(['start-run', 'claim-request-key'])
}, 20_000)

test('what starts no run is done once for a key too, and what was refused is refused again', async () => {
  const server = await startServer(echo, db)
  const block = { label: 'notes', value: 'v' }
  const first = await server.request<{ id: string }>('POST', '/v1/blocks/', block, key('k1'))
  const other = await startServer(echo, db)
  const again = await other.request<{ id: string }>('POST', '/v1/blocks/', block, key('k1'))
  expect([again.status, again.body]).toEqual([200, first.body])
  expect(again.headers['idempotency-replayed']).toBe('true')
  expect((await other.request('POST', '/v1/blocks/', { ...block, value: 'w' }, key('k1'))).status).toBe(422)
  const url = `/v1/blocks/${first.body.id}`
  expect((await server.request('DELETE', url, undefined, key('k2'))).status).toBe(200)
  expect((await server.request('DELETE', url, undefined, key('k2'))).status).toBe(200)
  expect((await server.request('DELETE', url, undefined, key('k3'))).status).toBe(404)
  expect((await server.request('DELETE', url, undefined, key('k3'))).headers['idempotency-replayed']).toBe('true')
})

test('while one is under way the other is told to wait; after a crash the next may do it', async () => {
  const gate = Promise.withResolvers<void>()
  const reached = Promise.withResolvers<void>()
  const slow = faultyDb(db, async ({ name }) => {
    if (name === 'store-request-answer') {
      reached.resolve()
      await gate.promise
    }
    return { kind: 'none' }
  })
  const server = await startServer(echo, slow)
  const block = { label: 'late', value: 'v' }
  const first = server.request('POST', '/v1/blocks/', block, key('k1'))
  await reached.promise
  const second = await server.request('POST', '/v1/blocks/', block, key('k1'))
  expect([second.status, second.headers['retry-after']]).toEqual([409, '1'])
  // as if the process had died with it
  await db.query(
    statement('test-expire-attempt', `update idempotency_keys set attempt_expires_at = now() - interval '1 s'`),
  )
  const third = server.request('POST', '/v1/blocks/', block, key('k1'))
  await expect
    .poll(
      async () => (await db.query(statement('test-blocks', `select 1 from blocks where label = 'late'`))).length,
      PATIENCE,
    )
    .toBe(2)
  gate.resolve()
  expect((await first).status).toBe(200)
  const kept = await third
  // the late one does not overwrite what the next has answered
  expect((await server.request('POST', '/v1/blocks/', block, key('k1'))).body).toEqual(kept.body)
})

test('an answer too large to be kept is not done again', async () => {
  const server = await startServer(echo)
  const block = { label: 'notes', value: 'v'.repeat(1_200_000), limit: 2_000_000 }
  expect((await server.request('POST', '/v1/blocks/', block, key('k1'))).status).toBe(200)
  const again = await server.request('POST', '/v1/blocks/', block, key('k1'))
  expect([again.status, again.headers['x-should-retry']]).toEqual([409, 'false'])
})

test('messages with otids of their own: a repetition in the background follows the first run, another content is a new one', async () => {
  const server = await startServer(echo)
  const agentId = await newAgent(server)
  const url = `/v1/agents/${agentId}/messages/stream`
  const body = { ...say('one', { otid: 'o-1' }), background: true }
  const [first, same] = await Promise.all([server.request('POST', url, body), server.request('POST', url, body)])
  const later = await server.request('POST', url, body)
  const runIds = [first, same, later].map((answer) => events(answer.body)[0]?.run_id)
  expect(new Set(runIds).size).toBe(1)
  expect(later.headers['idempotency-replayed']).toBe('true')
  await server.request('POST', url, { ...say('two', { otid: 'o-1' }), background: true })
  expect(await countRuns()).toBe(2)

  const lookUp = (otid: string) =>
    server.request<{ detail: string }>('POST', `/v1/conversations/default/stream`, { agent_id: agentId, otid })
  // the newest that has it
  expect(events((await lookUp('o-1')).body)[0]?.run_id).not.toBe(runIds[0])
  expect(await lookUp('o-2')).toMatchObject({ status: 404, body: { detail: 'No run found for otid=o-2' } })
})

test('in the foreground too the same otid means the same run, while it is under way and after it', async () => {
  const gate = Promise.withResolvers<void>()
  const server = await startServer(async (request) => {
    await gate.promise
    return echo(request, 0)
  })
  const url = `/v1/agents/${await newAgent(server)}/messages`
  const body = say('one', { otid: 'o-1' })
  const both = [server.request('POST', url, body), server.request('POST', url, body)]
  await expect.poll(() => server.context.runs.streams.followerCount, PATIENCE).toBe(2)
  gate.resolve()
  const [first, second] = await Promise.all(both)
  expect(second?.body).toEqual(first?.body)
  const later = await server.request('POST', url, body)
  expect(later.body).toEqual(first?.body)
  expect(later.headers['idempotency-replayed']).toBe('true')
  expect(await countRuns()).toBe(1)
  await expireKeys()
  expect((await server.request('POST', url, body)).status).toBe(200)
  expect(await countRuns()).toBe(2)
})

test('a busy thread: wait, be refused, or interrupt', async () => {
  const server = await startServer((request) =>
    lastUserText(request) === 'slow' ? { text: 'never', delayMs: 60_000 } : echo(request, 0),
  )
  const agentId = await newAgent(server)
  const url = `/v1/agents/${agentId}/messages`
  const slow = await server.request<{ id: string }>('POST', `${url}/async`, say('slow'), key('slow'))
  const refused = await server.request<Answer>('POST', url, { ...say('now'), on_busy: 'reject' })
  expect(refused.status).toBe(409)
  expect(refused.headers['x-should-retry']).toBe('false')
  expect(refused.body).toMatchObject({ detail: expect.stringMatching(/^CONFLICT: /), run_id: slow.body.id })
  // a repetition of what is under way is not refused by itself
  const rejecting = { ...say('queued'), on_busy: 'queue' }
  const queued = server.request<Answer>('POST', url, rejecting)
  await expect.poll(() => countRuns(), PATIENCE).toBe(2)
  const begun = performance.now()
  const interrupting = await server.request<Answer>('POST', url, { ...say('now'), on_busy: 'interrupt' })
  expect(textOf(interrupting.body)).toEqual(['re now'])
  expect(performance.now() - begun).toBeLessThan(5000)
  expect((await queued).body).toMatchObject({ stop_reason: { stop_reason: 'cancelled' }, messages: [] })
  const free = { ...say('free'), on_busy: 'reject' }
  const accepted = await server.request<Answer>('POST', url, free, key('free'))
  expect(textOf(accepted.body)).toEqual(['re free'])
  expect(
    (await server.request('POST', '/v1/agents/agent-00000000-0000-4000-8000-000000000000/messages', free)).status,
  ).toBe(404)
})

test('a repetition of a request that would be refused while busy gets its own run', async () => {
  const gate = Promise.withResolvers<void>()
  const server = await startServer(async (request) => {
    await gate.promise
    return echo(request, 0)
  })
  const url = `/v1/agents/${await newAgent(server)}/messages`
  const body = { ...say('one'), on_busy: 'reject' }
  const first = server.request('POST', url, body, key('k1'))
  await expect.poll(() => server.context.runs.streams.followerCount, PATIENCE).toBe(1)
  const second = server.request('POST', url, body, key('k1'))
  await expect.poll(() => server.context.runs.streams.followerCount, PATIENCE).toBe(2)
  expect((await server.request('POST', url, body, key('k2'))).status).toBe(409)
  gate.resolve()
  expect((await second).body).toEqual((await first).body)
})

test('a server that stops tells who waits to ask again, where that cannot do it twice', async () => {
  const server = await startServer(() => ({ text: 'never', delayMs: 60_000 }))
  const url = `/v1/agents/${await newAgent(server)}/messages`
  const keyed = server.request<Answer>('POST', url, say('one'), key('k1'))
  const plain = server.request<Answer>('POST', url, say('two'))
  await expect.poll(() => countRuns(), PATIENCE).toBe(2)
  server.context.shutdown.callLast()
  const answers = await Promise.all([keyed, plain])
  for (const answer of answers) {
    expect(answer.status).toBe(503)
    expect(answer.headers['retry-after']).toBe('1')
    expect(answer.body.run_id).toMatch(/^run-/)
  }
  expect(answers.map(({ headers }) => headers['x-should-retry'])).toEqual(['true', 'false'])
})
