import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DEFAULT_ORGANIZATION_ID as ORG } from '#platform/ids.ts'
import { createLogger } from '#platform/logger.ts'
import { type Db, statement } from '#store/db.ts'
import { claimDeliveries } from '#store/webhooks/claim-deliveries.ts'
import { recordAttempt } from '#store/webhooks/record-attempt.ts'
import { retryDelivery } from '#store/webhooks/retry-delivery.ts'
import { startCallbackReceiver } from '../../test/support/callback-receiver.ts'
import { createScriptedAgent, newRun } from '../../test/support/test-agent.ts'
import { openTestDatabase } from '../../test/support/test-database.ts'
import { WebhookDeliverer } from './deliver-webhooks.ts'
import { type CallbackAnswer, CallbackPoster } from './post-callback.ts'

let db: Db
beforeEach(async () => {
  db = await openTestDatabase()
})
afterEach(() => db[Symbol.asyncDispose]())

const logger = createLogger({ level: 'silent', format: 'json' })

/** A deliverer that is not started: the test says when it looks. */
function createDeliverer(post: (url: string) => Promise<CallbackAnswer>): WebhookDeliverer {
  return new WebhookDeliverer({ db, logger, poster: { post }, secrets: [], timeoutMs: 5_000, random: () => 0.5 })
}

const insert = statement(
  'test-insert-deliveries',
  `insert into webhook_deliveries (organization_id, id, run_id, url, status, completed_at)
   select $1, 'delivery-' || n, 'run-' || n, replace($2, '#', n::text), 'completed', now() from generate_series(1, $3::integer) as n`,
)
const makeDue = statement(
  'test-make-due',
  `update webhook_deliveries set next_attempt_at = now() where state = 'pending'`,
)
const read = statement(
  'test-read-deliveries',
  `select w.id, w.state, w.attempt_count, w.last_error, extract(epoch from w.next_attempt_at - now()) as pause
   from webhook_deliveries as w order by w.id`,
)
interface Row {
  id: string
  state: string
  attempt_count: number
  last_error: string | null
  pause: string
}
const readAll = () => db.query<Row>(read)
const ok: CallbackAnswer = { kind: 'answered', statusCode: 200, retryAfterMs: 0 }
const failed: CallbackAnswer = { kind: 'failed', error: 'connection refused' }

test('the callback is in the outbox when the run has ended, whoever posts it', async () => {
  const { engine, agentId } = await createScriptedAgent(db, () => ({ text: 'Hello.' }))
  const run = { ...newRun(agentId, 'hello'), callbackUrl: 'https://example.org/done', metadata: { a: 1 } }
  await engine.start(run)
  await engine.start(newRun(agentId, 'nobody wants to know'))
  await engine.idle()
  // the second run is started when the first has ended
  await expect.poll(() => engine.activeCount).toBe(0)
  expect(await claimDeliveries(db, 10, 1000, [])).toMatchObject([
    { run_id: run.runId, url: 'https://example.org/done', status: 'completed', metadata: { a: 1 }, attempt_count: 1 },
  ])
  await engine[Symbol.asyncDispose]()
})

test('two processes post a hundred callbacks once each', async () => {
  await db.query(insert, [ORG, 'https://host-#.example.org/', 100])
  const posted: string[] = []
  const post = async (url: string) => {
    posted.push(url)
    await sleep(1)
    return ok
  }
  const processes = [createDeliverer(post), createDeliverer(post)]
  const work = async () => {
    await Promise.all(processes.map((process) => process.deliverDue()))
    await Promise.all(processes.map((process) => process.idle()))
    return (await readAll()).every((row) => row.state === 'delivered')
  }
  await expect.poll(work, { timeout: 10_000 }).toBe(true)
  expect(posted).toHaveLength(100)
  expect(new Set(posted).size).toBe(100)
})

test('an attempt whose process died is made again, and a late outcome of the dead changes nothing', async () => {
  await db.query(insert, [ORG, 'https://example.org/', 1])
  const [lost] = await claimDeliveries(db, 1, 60_000, [])
  const posted: string[] = []
  const process = createDeliverer(async (url) => {
    posted.push(url)
    return ok
  })
  await process.deliverDue()
  await process.idle()
  expect(posted).toEqual([])
  await db.query(makeDue)
  await process.deliverDue()
  await process.idle()
  expect(posted).toHaveLength(1)
  if (lost === undefined) throw new Error('nothing was claimed')
  await recordAttempt(db, lost, { state: 'dead', statusCode: 500, error: 'late', retryAfterMs: 0 })
  expect(await readAll()).toMatchObject([{ state: 'delivered', attempt_count: 2, last_error: null }])
})

test('eight attempts over most of a day, then dead; a retry by hand gives eight more', async () => {
  await db.query(insert, [ORG, 'https://example.org/', 1])
  const process = createDeliverer(async () => failed)
  const pauses: number[] = []
  const attempt = async () => {
    await db.query(makeDue)
    await process.deliverDue()
    await process.idle()
    const [row] = await readAll()
    if (row?.state === 'pending') pauses.push(Math.round(Number(row.pause)))
    return row
  }
  for (let count = 1; count <= 7; count++) expect(await attempt()).toMatchObject({ state: 'pending' })
  expect(await attempt()).toMatchObject({ state: 'dead', attempt_count: 8, last_error: 'connection refused' })
  expect(pauses.every((pause, index) => index === 0 || pause > (pauses[index - 1] ?? 0))).toBe(true)
  const hours = pauses.reduce((sum, pause) => sum + pause, 0) / 3600
  expect(hours).toBeGreaterThan(20)
  expect(hours).toBeLessThan(28)
  await attempt()
  expect(await readAll()).toMatchObject([{ state: 'dead', attempt_count: 8 }])

  expect(await retryDelivery(db, ORG, 'delivery-1', 8)).toBe(true)
  expect(await attempt()).toMatchObject({ state: 'pending', attempt_count: 9 })
  // from the beginning again; to the second it cannot be said, since time passes until the row is read
  expect(pauses.at(-1)).toBeLessThan(pauses[1] ?? 0)
})

test('a receiver that hangs does not hold up the others', async () => {
  await db.query(insert, [ORG, 'https://hangs.example.org/#', 50])
  const held = Promise.withResolvers<CallbackAnswer>()
  const posted: string[] = []
  const process = createDeliverer((url) => {
    posted.push(url)
    return url.startsWith('https://hangs') ? held.promise : Promise.resolve(ok)
  })
  await process.deliverDue()
  expect(posted.length).toBeLessThan(10)
  const other = statement(
    'test-insert-other-delivery',
    `insert into webhook_deliveries (organization_id, id, run_id, url, status, completed_at) values ($1, 'delivery-x', 'run-x', 'https://other.example.org/', 'completed', now())`,
  )
  await db.query(other, [ORG])
  await process.deliverDue()
  expect(posted).toContain('https://other.example.org/')
  held.resolve(ok)
  await process[Symbol.asyncDispose]()
})

test('a name that means another address when it is connected to is refused, and nothing arrives', async () => {
  await using receiver = await startCallbackReceiver()
  const asked: string[] = []
  let address = '127.0.0.1'
  const resolve = async (host: string) => {
    asked.push(host)
    return [
      { address: '93.184.215.14', family: 4 },
      { address, family: 4 },
    ]
  }
  const url = `http://rebound.example.org:${receiver.port}/`
  await using strict = new CallbackPoster({ timeoutMs: 2_000, allowsPrivate: false, version: '1', resolve })
  expect(await strict.post(url, '{}', {})).toMatchObject({ kind: 'refused', error: expect.stringContaining(address) })
  address = '169.254.169.254'
  expect(await strict.post(url, '{}', {})).toMatchObject({ kind: 'refused', error: expect.stringContaining(address) })
  for (const literal of ['127.0.0.1', '[::ffff:127.0.0.1]', '0x7f.1']) {
    expect(await strict.post(`http://${literal}:${receiver.port}/`, '{}', {})).toMatchObject({ kind: 'refused' })
  }
  expect(asked).toHaveLength(2)
  expect(receiver.received).toEqual([])
  // the same look-up leads there where it is allowed, so it is the guard that stopped it
  await using open = new CallbackPoster({
    timeoutMs: 2_000,
    allowsPrivate: true,
    version: '1',
    resolve: async () => [{ address: '127.0.0.1', family: 4 }],
  })
  expect(await open.post(url, '{}', {})).toMatchObject({ kind: 'answered', statusCode: 200 })
  expect(receiver.received).toHaveLength(1)
})
