import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { type Db, statement } from '#store/db.ts'
import { findBrokenInvariants } from '../support/database-state.ts'
import { faultyDb } from '../support/faulty-db.ts'
import { lastUserText, scriptedModel } from '../support/scripted-model.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { createTestAgent, createTestEngine, newRun, readBlock, storedMessages } from '../support/test-agent.ts'
import { openTestDatabase } from '../support/test-database.ts'

const AGENTS = 6
const TURNS_PER_AGENT = 52
const seed = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000)

it(`${AGENTS * TURNS_PER_AGENT} turns with tools while statements and answers get lost (TEST_SEED=${seed})`, async () => {
  const random = seededRandom(seed)
  await using db = await openTestDatabase()
  const faults = { before: 0, after: 0 }
  const faulty = faultyDb(db, () => {
    const delay = random() < 0.1 ? { delayMs: random() * 20 } : {}
    const dice = random()
    const kind = dice < 0.04 ? 'before' : dice < 0.1 ? 'after' : 'none'
    if (kind !== 'none') faults[kind] += 1
    return { kind, ...delay }
  })
  let committedFacts = 0
  const { registry, requests } = scriptedModel((request, index) => {
    const last = request.messages.at(-1)
    const dice = random()
    // up to two rounds of tools, with parallel calls of one id: as bad servers number them
    if (last?.role === 'user' || dice < 0.3) {
      const calls = Array.from({ length: 1 + Math.floor(random() * 3) }, (_, position) => ({
        id: 'call_0',
        name: 'memory_insert',
        arguments: { label: 'human', new_string: `<${index}.${position}>` },
      }))
      return dice < 0.8 ? { toolCalls: calls } : { text: `re ${lastUserText(request)}` }
    }
    return { text: `re ${lastUserText(request)}` }
  })
  const agents = await Promise.all(
    Array.from({ length: AGENTS }, () =>
      createTestAgent(db, registry, {
        memory_blocks: [{ label: 'human', value: '', limit: 1_000_000 }],
      }),
    ),
  )
  const engine = createTestEngine(faulty, registry, 'process-1', 400)
  while (
    !(await engine.open().then(
      () => true,
      () => false,
    ))
  )
    await sleep(1)

  let refused = 0
  /** Sends one message; true when it was accepted, and then its end was told once. */
  async function send(agentId: string, text: string): Promise<boolean> {
    const end = Promise.withResolvers<string>()
    let ends = 0
    try {
      await engine.start(newRun(agentId, text), (event) => {
        if (event.type !== 'run-end') return
        ends += 1
        end.resolve(event.stopReason)
      })
    } catch {
      refused += 1
      return false
    }
    expect(await end.promise).toBe('end_turn')
    expect(ends).toBe(1)
    return true
  }

  const accepted = new Map(agents.map((agentId) => [agentId, new Set<string>()]))
  await Promise.all(
    agents.flatMap((agentId) =>
      [0, 1].map(async (client) => {
        for (let turn = 0; turn < TURNS_PER_AGENT / 2; turn += 1) {
          const text = `c${client}t${turn}.`
          if (await send(agentId, text)) accepted.get(agentId)?.add(text)
        }
      }),
    ),
  )
  // an accepted run whose answer was lost is still to be worked on
  await expect.poll(() => countOpenRuns(db), { timeout: 15_000 }).toBe(0)
  await engine.idle()
  await engine[Symbol.asyncDispose]()

  expect(faults.before).toBeGreaterThan(20)
  expect(faults.after).toBeGreaterThan(20)
  for (const agentId of agents) {
    const stored = (await storedMessages(db, agentId)).slice(1)
    const said = stored.flatMap((message) =>
      message.role === 'user' ? message.content.map((part) => (part.type === 'text' ? part.text : '')) : [],
    )
    expect(new Set(said).size, 'no message is stored twice').toBe(said.length)
    for (const text of accepted.get(agentId) ?? []) expect(said).toContain(text)
    // run after run: what was said, any rounds of tools, one answer
    const runs = Map.groupBy(stored, (message) => message.run_id)
    expect([...runs.values()].flat().map((message) => message.id)).toEqual(stored.map((message) => message.id))
    for (const messages of runs.values()) {
      expect(messages.map((message) => message.role).join(' ')).toMatch(/^user( assistant tool)* assistant$/)
    }
    const ids = stored.flatMap((message) => message.tool_calls ?? []).map((call) => call.tool_call_id)
    expect(new Set(ids).size).toBe(ids.length)
    const facts = stored.flatMap((message) =>
      (message.tool_calls ?? []).map((call) => (JSON.parse(call.arguments) as { new_string: string }).new_string),
    )
    committedFacts += facts.length
    const block = await readBlock(db, agentId, 'human')
    expect(block?.value.split('\n').sort()).toEqual(facts.sort())
    expect(block?.version).toBe(1 + facts.length)
  }
  expect(committedFacts).toBeGreaterThan(200)
  expect(await findBrokenInvariants(db)).toEqual([])
  const [ledger] = await db.query<{ calls: number; steps: number; counted: number; refused: number }>(
    statement(
      'test-ledger-sums',
      `select (select count(*) from provider_calls)::integer as calls, (select count(*) from steps)::integer as steps,
        (select sum(step_count) from runs)::integer as counted`,
    ),
  )
  expect(ledger?.calls).toBe(ledger?.steps)
  expect(ledger?.calls).toBe(ledger?.counted)
  // a model that was asked again after its run was taken over is paid twice: that is rare
  expect(requests.length).toBeGreaterThanOrEqual(ledger?.calls ?? 0)
  expect(engine.listenedCount).toBe(0)
  expect(engine.activeCount).toBe(0)
  expect(refused).toBeLessThan(AGENTS * TURNS_PER_AGENT * 0.3)
}, 120_000)

async function countOpenRuns(db: Db): Promise<number> {
  const open = statement(
    'test-count-open-runs',
    `select count(*)::integer as count from runs where status in ('created', 'running')`,
  )
  const [row] = await db.query<{ count: number }>(open)
  return row?.count ?? 0
}
