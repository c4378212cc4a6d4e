import { expect, it } from 'vitest'
import { findBrokenInvariants } from '../support/database-state.ts'
import { testEngine } from '../support/test-database.ts'
import { openLane } from './open-lane.ts'
import { type SeedResult, simulate } from './simulate.ts'

const onlySeed = process.env.SIM_SEED
const isPostgres = testEngine() === 'postgres'
/** Schedules with a fault that happened. */
const SEEDS = onlySeed === undefined ? Number(process.env.SIM_SEEDS ?? (isPostgres ? 250 : 40)) : 1
/** Each has a database of its own and simulates one seed after the other. */
const LANES = onlySeed === undefined ? (isPostgres ? (SEEDS > 1000 ? 10 : 6) : 2) : 1
const SEEDS_PER_CHECK = 50
if (!(SEEDS > 0)) throw new Error(`SIM_SEEDS=${process.env.SIM_SEEDS} is no number of schedules`)
const firstSeed = Number(onlySeed ?? process.env.TEST_SEED ?? Date.now() % 1_000_000_000)

it(`keeps its promises through ${SEEDS} schedules with faults, from seed ${firstSeed} on`, async () => {
  const startedAt = performance.now()
  const totals: Record<string, number> = { seeds: 0, quiet: 0 }
  const failures: string[] = []
  let next = firstSeed
  const add = ({ counts, hadFault }: SeedResult) => {
    totals[hadFault ? 'seeds' : 'quiet'] = (totals[hadFault ? 'seeds' : 'quiet'] ?? 0) + 1
    for (const [name, count] of Object.entries(counts)) totals[name] = (totals[name] ?? 0) + count
  }
  async function runLane(): Promise<void> {
    await using db = await openLane()
    const seeds: number[] = []
    const checkDatabase = async () => {
      const broken = await findBrokenInvariants(db)
      if (broken.length > 0) failures.push(`one of the seeds ${seeds.join(' ')}: ${broken.join('; ')}`)
      seeds.length = 0
    }
    while ((totals.seeds ?? 0) < SEEDS && failures.length < 5 && (onlySeed === undefined || next === firstSeed)) {
      const seed = next
      next += 1
      seeds.push(seed)
      const result = await simulate(db, seed)
      add(result)
      if (result.problems.length > 0) {
        failures.push(`SIM_SEED=${seed} npx vitest run test/simulation\n  ${result.problems.slice(0, 8).join('\n  ')}`)
      }
      if (seeds.length === SEEDS_PER_CHECK) await checkDatabase()
    }
    await checkDatabase()
  }
  await Promise.all(Array.from({ length: LANES }, runLane))
  const seconds = Math.round((performance.now() - startedAt) / 100) / 10
  console.log(`simulation: ${JSON.stringify({ seconds, ...totals })}`)
  expect(failures.join('\n')).toBe('')
  if (onlySeed === undefined) expect(totals.seeds).toBeGreaterThanOrEqual(SEEDS)
  // 5 000 schedules take nine minutes on two cores that have other work too
}, 1_900_000)
