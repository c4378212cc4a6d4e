import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import type { ModelEvent } from '#llm/model.ts'
import { DEFAULT_ORGANIZATION_ID } from '#platform/ids.ts'
import { spanOf } from '#runs/encode-events.ts'
import type { RunEngine } from '#runs/run-engine.ts'
import { isLogged, type LoggedEvent } from '#runs/run-events.ts'
import { openDatabase } from '#store/open-database.ts'
import { ensurePartitions } from '#store/partitions.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { createTestAgent, createTestEngine, newRun, storedMessages } from '../support/test-agent.ts'
import { createPostgresDatabase, testEngine } from '../support/test-database.ts'
import { testModelRegistry } from '../support/test-models.ts'

const CUTS = 200
const WORDS = 150
const seed = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000)

/** Says `WORDS` words, one each few milliseconds. */
async function* talk(): AsyncGenerator<ModelEvent> {
  let text = ''
  for (let index = 0; index < WORDS; index += 1) {
    const word = `${index} `
    text += word
    yield { type: 'text-delta', text: word }
    await sleep(8)
  }
  const usage = {
    inputTokens: 1,
    outputTokens: 1,
    cachedInputTokens: null,
    cacheWriteTokens: null,
    reasoningTokens: null,
  }
  const reply = { content: [{ type: 'text' as const, text }], toolCalls: [], finishReason: 'stop' as const, usage }
  yield { type: 'reply', reply, timing: { firstTokenMs: 1, totalMs: 1, attempts: 1 } }
}

/** Reads a run to its end: leaves after a random number of events, and goes on at another replica. */
async function readWithCuts(replicas: readonly RunEngine[], runId: string, random: () => number) {
  const heard: { seq: number; event: LoggedEvent }[] = []
  let after = 0
  let cuts = 0
  let replica = Math.floor(random() * replicas.length)
  for (;;) {
    let left = 1 + Math.floor(random() * 12)
    const cut = Promise.withResolvers<'cut' | 'end'>()
    const follower = replicas[replica]?.follow({
      organizationId: DEFAULT_ORGANIZATION_ID,
      runId,
      after,
      listener: (event, seq) => {
        if (!isLogged(event) || left === 0) return
        heard.push({ seq, event })
        after = seq + spanOf(event) - 1
        left -= 1
        if (event.type === 'run-end') cut.resolve('end')
        else if (left === 0) cut.resolve('cut')
      },
    })
    const outcome = await cut.promise
    follower?.close()
    if (outcome === 'end') return { heard, cuts }
    cuts += 1
    replica = (replica + 1) % replicas.length
  }
}

it.skipIf(testEngine() === 'pglite')(
  `readers that leave at ${CUTS} random points and go on at another replica hear each event once (TEST_SEED=${seed})`,
  async () => {
    const random = seededRandom(seed)
    const database = await createPostgresDatabase()
    const open = () => openDatabase({ kind: 'postgres', url: database.url, poolSize: 8 })
    const dbs = [await open(), await open(), await open()]
    const [db] = dbs
    if (db === undefined) throw new Error('no database')
    await ensurePartitions(db, new Date())
    const registry = testModelRegistry(talk)
    const replicas = dbs.map((each, index) => createTestEngine(each, registry, `replica-${index}`))
    for (const replica of replicas) await replica.open()
    const agents = await Promise.all(Array.from({ length: 8 }, () => createTestAgent(db, registry)))
    const all = await Promise.all(
      agents.map(async (agentId, index) => {
        const run = newRun(agentId, 'talk')
        await replicas[index % replicas.length]?.start(run)
        const readings = await Promise.all(Array.from({ length: 3 }, () => readWithCuts(replicas, run.runId, random)))
        return { agentId, readings }
      }),
    )
    let cuts = 0
    for (const { agentId, readings } of all) {
      const stored = (await storedMessages(db, agentId)).at(-1)
      const part = stored?.content[0]
      for (const { heard, cuts: some } of readings) {
        cuts += some
        const seqs = heard.map(({ seq }) => seq)
        expect(seqs).toEqual([...new Set(seqs)].toSorted((a, b) => a - b))
        expect(heard.filter(({ event }) => event.type === 'run-end')).toHaveLength(1)
        const text = heard.map(({ event }) => (event.type === 'text-delta' ? event.text : '')).join('')
        expect(text).toBe(part?.type === 'text' ? part.text : '')
      }
    }
    expect(cuts).toBeGreaterThan(CUTS)
    for (const replica of replicas) await replica[Symbol.asyncDispose]()
    for (const each of dbs) await each[Symbol.asyncDispose]()
    await database.remove()
  },
  60_000,
)
