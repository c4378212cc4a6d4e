import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Db, statement } from '#store/db.ts'
import { openDatabase } from '#store/open-database.ts'
import { findBrokenInvariants } from '../support/database-state.ts'
import { type ProviderProcess, startProviderProcess } from '../support/provider-process.ts'
import { type Replica, startReplicas } from '../support/replicas.ts'
import { createPostgresDatabase, testEngine } from '../support/test-database.ts'

const DUPLICATES = 50

/** Two real processes on one database: a request that comes again, to whichever, is the same request. */
describe.skipIf(testEngine() === 'pglite')('the same request at two replicas', () => {
  let database: Awaited<ReturnType<typeof createPostgresDatabase>>
  let provider: ProviderProcess
  let replicas: Replica[]
  let db: Db

  beforeAll(async () => {
    database = await createPostgresDatabase()
    db = await openDatabase({ kind: 'postgres', url: database.url, poolSize: 2 })
    provider = await startProviderProcess('memory-tool', 300)
    replicas = await startReplicas(2, {
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: provider.url,
      PERDURE_DATABASE_URL: database.url,
      PERDURE_RUN_LEASE: '1s',
    })
  }, 60_000)
  afterAll(async () => {
    await Promise.all(replicas.map((replica) => replica.stop()))
    await provider.stop()
    await db[Symbol.asyncDispose]()
    await database.remove()
  })

  const post = (replica: number, path: string, body: object, key = '') =>
    fetch(`${replicas[replica]?.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(key === '' ? {} : { 'idempotency-key': key }) },
      body: JSON.stringify(body),
    })
  const newAgent = async (): Promise<string> => {
    const response = await post(0, '/v1/agents/', {
      model: 'openai/gpt-4o-mini',
      memory_blocks: [{ label: 'human', value: '' }],
    })
    return ((await response.json()) as { id: string }).id
  }
  const statusesOfRuns = async (agentId: string): Promise<string[]> => {
    const text = 'select r.status from runs as r where r.agent_id = $1'
    const rows = await db.query<{ status: string }>(statement('test-statuses-of-runs', text), [agentId])
    return rows.map((row) => row.status)
  }
  const message = (text: string) => ({ messages: [{ role: 'user', content: text }] })

  it(`${DUPLICATES} at once: one run, and the same answer to all`, async () => {
    const agentId = await newAgent()
    const path = `/v1/agents/${agentId}/messages`
    const answers = await Promise.all(
      Array.from({ length: DUPLICATES }, async (_, index) => {
        const response = await post(index % 2, path, message('one'), 'crowd')
        return {
          status: response.status,
          text: await response.text(),
          replayed: response.headers.get('idempotency-replayed'),
        }
      }),
    )
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    expect(answers.filter(({ replayed }) => replayed === null).length, 'one has done it').toBe(1)
    expect(await statusesOfRuns(agentId)).toEqual(['completed'])
  }, 60_000)

  it('a replica is killed while it answers: the other one, and the restarted one, give the answer of that run', async () => {
    const agentId = await newAgent()
    const path = `/v1/agents/${agentId}/messages`
    const cut = post(0, path, message('two'), 'killed').then(
      () => 'answered',
      () => 'cut',
    )
    await expect.poll(() => statusesOfRuns(agentId), { timeout: 15_000 }).toEqual(['running'])
    await replicas[0]?.kill()
    expect(await cut, 'the kill came before the answer').toBe('cut')
    const retried = await post(1, path, message('two'), 'killed')
    const answer = await retried.text()
    expect([retried.status, retried.headers.get('idempotency-replayed')]).toEqual([200, 'true'])
    await replicas[0]?.start()
    expect(await (await post(0, path, message('two'), 'killed')).text()).toBe(answer)
    expect((await post(0, path, message('other'), 'killed')).status).toBe(422)
    expect(await statusesOfRuns(agentId)).toEqual(['completed'])
  }, 60_000)

  it('an interrupt reaches the replica that works on the run', async () => {
    const agentId = await newAgent()
    const path = `/v1/agents/${agentId}/messages`
    const first = post(0, path, message('slow'))
    await expect.poll(() => statusesOfRuns(agentId), { timeout: 15_000 }).toEqual(['running'])
    const refused = await post(1, path, { ...message('no'), on_busy: 'reject' })
    expect([refused.status, refused.headers.get('x-should-retry')]).toEqual([409, 'false'])
    expect((await post(1, path, { ...message('now'), on_busy: 'interrupt' })).status).toBe(200)
    expect(await (await first).json()).toMatchObject({ stop_reason: { stop_reason: 'cancelled' } })
    expect((await statusesOfRuns(agentId)).sort()).toEqual(['cancelled', 'completed'])
    expect(await findBrokenInvariants(db)).toEqual([])
  }, 60_000)
})
