import { setTimeout as sleep } from 'node:timers/promises'
import { createAgent, type NewAgentInput } from '#agent/create-agent.ts'
import { type Db, statement } from '#store/db.ts'
import { TEST_ACTOR } from '../support/test-agent.ts'
import { testModelRegistry } from '../support/test-models.ts'
import { checkSeed } from './check-seed.ts'
import { runClient, type SentMessage } from './client.ts'
import { readSeedState } from './seed-state.ts'
import { LEASE_MS, SimulatedProcess } from './simulated-process.ts'
import { type Counts, World } from './world.ts'

/** Real time after which a seed that has not come to rest has lost something. */
const SETTLE_LIMIT_MS = 30_000
const MODEL = 'openai/gpt-4o-mini'
const SHARED_BLOCK_LIMIT = 1_000_000

export interface SeedResult {
  problems: string[]
  counts: Counts & { runs: number; takeOvers: number; refusedWrites: number }
  /** False where by chance nothing went wrong. */
  hadFault: boolean
}

/**
 * One schedule from the first message to the last check: two or three processes on a database of their own, clients that talk
 * to any of them, and faults at every statement and every event of the model. What is decided depends on the seed; how the
 * actors interleave also depends on how long real statements take, so one seed can run differently twice.
 */
export async function simulate(db: Db, seed: number): Promise<SeedResult> {
  const world = new World(db, seed)
  const { chance } = world
  // most seeds are small, for there to be many; what only a crowd shows, the others find
  const isCrowded = chance.happens(0.15)
  world.agentIds.push(...(await makeAgents(db, isCrowded ? 2 : 1)))
  const sent: SentMessage[] = []
  for (let count = isCrowded ? 3 : 2; count > 0; count -= 1) await startProcess(world)
  const clients = Array.from({ length: 1 + chance.below(isCrowded ? 3 : 2) }, (_, number) =>
    runClient(world, number, isCrowded ? 3 : 2, sent),
  )
  const acting = act(world)
  let limit: NodeJS.Timeout | undefined
  const tooLate = new Promise<'late'>((resolve) => {
    limit = setTimeout(() => resolve('late'), SETTLE_LIMIT_MS)
  })
  let isAtRest = false
  let stage = 'the work of the clients'
  const rest = async () => {
    await Promise.all(clients)
    stage = 'what the processes were doing'
    world.isCalm = true
    await acting
    stage = 'the settling'
    await settle(world, sent, () => isAtRest)
  }
  const outcome = await Promise.race([rest(), tooLate])
  clearTimeout(limit)
  isAtRest = true
  world.isCalm = true
  if (outcome === 'late') {
    const waiting = sent.flatMap(({ readers }) =>
      readers.filter(({ isOver }) => !isOver).map((reader) => reader.describe()),
    )
    const busy = world.processes.map(({ owner, state, engine }) => `${owner} ${state} ${engine.activeCount}`)
    world.violations.push(
      `${stage} is not over after ${SETTLE_LIMIT_MS} ms; readers wait: ${waiting}; runs: ${busy}; under way: ${world.inFlight}`,
    )
  }
  const problems = checkSeed(world, sent, await readSeedState(db, world.agentIds))
  for (const process of world.processes) process.abandon()
  const { counts, journal } = world
  const { takeOvers, refusedWrites } = journal
  const { crashes, lostAnswers, lostStatements, expiries, drains, stops, modelErrors } = counts
  return {
    problems,
    counts: { ...counts, runs: sent.length, takeOvers, refusedWrites },
    hadFault: crashes + lostAnswers + lostStatements + expiries + drains + stops + modelErrors > 0,
  }
}

/** One agent, or two that share a block. */
async function makeAgents(db: Db, count: number): Promise<string[]> {
  const models = testModelRegistry()
  const create = async (input: NewAgentInput) => {
    const deps = { db, models, defaultModel: undefined, defaultEmbedding: undefined }
    const tools = ['archival_memory_insert']
    return (await createAgent(deps, TEST_ACTOR, { model: MODEL, system: 'I am Ada.', tools, ...input })).id
  }
  const block = { label: 'human', value: '', limit: SHARED_BLOCK_LIMIT }
  const first = await create({ memory_blocks: [block] })
  if (count === 1) return [first]
  const [row] = await db.query<{ block_id: string }>(findBlock, [first])
  const block_ids = row === undefined ? [] : [row.block_id]
  return [first, await create({ block_ids })]
}

const findBlock = statement('sim-find-block', 'select block_id from agent_blocks where agent_id = $1')

async function startProcess(world: World): Promise<void> {
  const process = new SimulatedProcess(world)
  for (;;) {
    try {
      return await process.orGone(process.engine.open())
    } catch {
      if (!process.isAlive) return
      await sleep(1)
    }
  }
}

/** What happens to processes and leases while clients work, at random moments. */
async function act(world: World): Promise<void> {
  const chance = world.chance.fork('act')
  const starting: Promise<unknown>[] = []
  while (!world.isCalm) {
    await sleep(1 + chance.below(16))
    const { alive, processes } = world
    if (alive.length === 0 || (alive.length < 2 && chance.happens(0.1))) {
      await startProcess(world)
      continue
    }
    const process = chance.pick(alive)
    const dice = chance.below(1000)
    if (dice < 700) process.tick().catch(() => {})
    else if (dice < 720 && world.canCrash()) process.crash()
    else if (dice < 760) world.counts.expiries += await world.expire([process.owner])
    else if (dice < 860) {
      const dead = processes.filter(({ isAlive }) => !isAlive).map(({ owner }) => owner)
      if (dead.length > 0) await world.expire(dead)
    } else if (dice < 880 && alive.length > 1) {
      const isGentle = chance.happens(0.5)
      world.counts[isGentle ? 'drains' : 'stops'] += 1
      starting.push(process.stop(isGentle).catch(() => {}))
    }
  }
  await Promise.all(starting)
}

const countOpen = statement(
  'sim-count-open-runs',
  `select now() as now, (select count(*)::integer from runs where status in ('created', 'running')) as count`,
)
const expireStale = statement(
  'sim-expire-stale',
  `update runs set lease_expires_at = '-infinity' where status = 'running' and lease_expires_at < $1`,
)

/** Without faults from here on: whoever lives, or a fresh process alone, brings everything to its end. */
async function settle(world: World, sent: readonly SentMessage[], isOver: () => boolean): Promise<void> {
  const { db, chance } = world
  if (chance.happens(0.5)) await Promise.all(world.alive.map((process) => process.stop(false).catch(() => {})))
  if (world.alive.length === 0 || chance.happens(0.5)) await startProcess(world)
  for (let pauseMs = 4; !isOver(); pauseMs = Math.min(pauseMs * 1.5, 60)) {
    // a statement of a dead process can still bring a run
    const wasQuiet = world.inFlight === 0
    const [open] = await db.query<{ now: Date; count: number }>(countOpen)
    const { alive } = world
    const isIdle = alive.every(({ engine }) => engine.activeCount === 0)
    const areReadersDone = sent.every(({ readers }) => readers.every((reader) => reader.isOver))
    if (open?.count === 0 && isIdle && areReadersDone && wasQuiet && world.inFlight === 0) return
    // half a lease goes by: who lives says so, and what nobody spoke for is free
    await Promise.all(alive.map((process) => process.beat()))
    if (open !== undefined && open.count > 0) {
      await db.query(expireStale, [new Date(open.now.getTime() + LEASE_MS)])
    }
    // whoever is first finds what is left; those that are read from look for news
    const someone = chance.pick(alive)
    for (const process of alive) {
      if (process === someone || process.engine.listenedCount > 0) await process.tickAll()
    }
    await sleep(pauseMs)
  }
}
