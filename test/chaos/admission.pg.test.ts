import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createAgent } from '#agent/create-agent.ts'
import { DEFAULT_ORGANIZATION_ID, DEFAULT_USER_ID } from '#platform/ids.ts'
import { statement } from '#store/db.ts'
import { ensureBuiltinTools } from '#tools/ensure-builtin-tools.ts'
import { lastUserText, scriptedModel } from '../support/scripted-model.ts'
import { createTestAgent } from '../support/test-agent.ts'
import { testEngine } from '../support/test-database.ts'
import { startTestServer } from '../support/test-server.ts'
import { openEngines, startRun } from '../support/two-engines.ts'

/** A model that holds on to messages that begin with `hold` until it is let go. */
function heldModel() {
  let letGo = Promise.withResolvers<void>()
  const { registry, requests } = scriptedModel(async (request) => {
    if (lastUserText(request).startsWith('hold')) await letGo.promise
    return { text: `re ${lastUserText(request)}` }
  })
  return {
    registry,
    requests,
    release: () => {
      letGo.resolve()
      letGo = Promise.withResolvers<void>()
      letGo.resolve()
    },
  }
}

describe.skipIf(testEngine() === 'pglite')('replicas with little room', () => {
  let engines: Awaited<ReturnType<typeof openEngines>>
  beforeEach(async () => {
    engines = await openEngines()
  })
  afterEach(async () => expect(await engines.close()).toEqual([]))

  const newAgents = (count: number, models: Parameters<typeof createTestAgent>[1]) =>
    Promise.all(Array.from({ length: count }, () => createTestAgent(engines.db, models)))

  it('what one has no room for is started by another at once, and told of where it was asked for', async () => {
    const model = heldModel()
    const a = await engines.start('a', { models: model.registry, maxActive: 1 })
    const b = await engines.start('b', { models: model.registry, maxActive: 4 })
    const [one = '', two = ''] = await newAgents(2, model.registry)
    const held = await startRun(a, one, 'hold')
    expect(held.isActive).toBe(true)
    const waitedMs: number[] = []
    for (let index = 0; index < 4; index += 1) {
      const askedAt = performance.now()
      const other = await startRun(a, two, 'quick')
      expect(other.isActive).toBe(false)
      expect((await other.end).stopReason).toBe('end_turn')
      waitedMs.push(performance.now() - askedAt)
    }
    // without a word to B its reaper would find the first, and each of the others a whole second later
    expect(Math.min(...waitedMs.slice(1))).toBeLessThan(700)
    expect([a.activeCount, b.activeCount]).toEqual([1, 0])
    model.release()
    await held.end
  })

  it('never works on more than it may, and answers everything that waits', async () => {
    const model = heldModel()
    const [a, b] = [
      await engines.start('a', { models: model.registry, maxActive: 2 }),
      await engines.start('b', { models: model.registry, maxActive: 3 }),
    ]
    const agents = await newAgents(8, model.registry)
    const runs = await Promise.all(
      agents.flatMap((agentId, index) =>
        ['hold', 'then', 'last'].map((text) => startRun(index % 2 === 0 ? a : b, agentId, `${text} ${index}`)),
      ),
    )
    await expect.poll(() => [a.activeCount, b.activeCount], { timeout: 5000 }).toEqual([2, 3])
    let most = 0
    const watch = setInterval(() => {
      most = Math.max(most, a.activeCount, b.activeCount)
    }, 1)
    model.release()
    const ends = await Promise.all(runs.map((run) => run.end))
    clearInterval(watch)
    expect(ends.every((end) => end.stopReason === 'end_turn')).toBe(true)
    expect(most).toBeLessThanOrEqual(3)
    expect(model.requests).toHaveLength(24)
  })

  it("one tenant's crowd does not delay another's message", async () => {
    const model = heldModel()
    const a = await engines.start('a', { models: model.registry, maxActive: 4 })
    const crowd = await newAgents(12, model.registry)
    const other = await anotherTenant(model.registry)
    const waiting = await Promise.all(
      crowd.flatMap((agentId) => ['hold', 'hold'].map((text) => startRun(a, agentId, text))),
    )
    await expect.poll(() => a.activeCount).toBe(4)
    const small = await startRun(a, other.agentId, 'small', { organizationId: other.organizationId })
    expect(small.isActive).toBe(false)
    const order: string[] = []
    for (const run of waiting) void run.end.then(() => order.push('crowd'))
    void small.end.then(() => order.push('small'))
    model.release()
    await Promise.all([...waiting.map((run) => run.end), small.end])
    // the four that were running, and those that end while it runs
    expect(order.indexOf('small')).toBeLessThan(12)
  })

  it('refuses what would wait behind too many, and stores nothing of it', async () => {
    const model = heldModel()
    const a = await engines.start('a', { models: model.registry, maxActive: 1, maxQueued: 3 })
    const [agentId = ''] = await newAgents(1, model.registry)
    const runs = [await startRun(a, agentId, 'hold')]
    for (let index = 0; index < 3; index += 1) runs.push(await startRun(a, agentId, `m${index}`))
    await expect(startRun(a, agentId, 'too many')).rejects.toMatchObject({
      kind: 'unavailable',
      options: { retryAfterSeconds: 5 },
    })
    const [stored] = await engines.db.query<{ count: number }>(
      statement('test-count-runs', 'select count(*)::integer as count from runs where agent_id = $1'),
      [agentId],
    )
    expect(stored?.count).toBe(4)
    model.release()
    for (const run of runs) await run.end
    // the count is a second old at most
    const again = async () => (await startRun(a, agentId, 'again').catch(() => undefined))?.end
    await expect.poll(again, { timeout: 5000 }).toMatchObject({ stopReason: 'end_turn' })
  })

  it('over HTTP that is a 503 that says when to come again', async () => {
    const model = heldModel()
    const server = await startTestServer({
      db: engines.db,
      models: model.registry,
      config: { maxActiveRuns: 1, maxQueuedRuns: 1 },
    })
    try {
      const { body: agent } = await server.request<{ id: string }>('POST', '/v1/agents/', {
        model: 'openai/gpt-4o-mini',
      })
      const send = (input: string) => server.request('POST', `/v1/agents/${agent.id}/messages/async`, { input })
      expect((await send('hold')).status).toBe(200)
      expect((await send('waits')).status).toBe(200)
      const refused = await send('too many')
      expect(refused).toMatchObject({ status: 503, headers: { 'retry-after': '5' } })
      model.release()
      await server.context.runs.idle()
      await expect.poll(async () => (await send('again')).status, { timeout: 5000 }).toBe(200)
      await server.context.runs.idle()
    } finally {
      await server.close()
    }
  })

  async function anotherTenant(models: Parameters<typeof createTestAgent>[1]) {
    const organizationId = DEFAULT_ORGANIZATION_ID.replace(/.$/, '1')
    await engines.db.query(statement('test-tenant', 'insert into organizations (id, name) values ($1, $1)'), [
      organizationId,
    ])
    await ensureBuiltinTools(engines.db, organizationId)
    const dependencies = { db: engines.db, models, defaultModel: undefined, defaultEmbedding: undefined }
    const actor = { organizationId, userId: DEFAULT_USER_ID, projectId: null }
    const agent = await createAgent(dependencies, actor, { model: 'openai/gpt-4o-mini', memory_blocks: [] })
    return { organizationId, agentId: agent.id }
  }
})
