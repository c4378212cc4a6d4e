import { afterEach, beforeEach, expect, test } from 'vitest'
import { createSchedule, type ScheduleTimes } from '#agent/create-schedule.ts'
import { createLogger } from '#platform/logger.ts'
import type { RunEngine } from '#runs/run-engine.ts'
import { type Db, statement } from '#store/db.ts'
import { pruneSchedules } from '#store/schedules/delete-schedule.ts'
import { createScriptedAgent, createTestEngine, newRun } from '../../test/support/test-agent.ts'
import { openTestDatabase } from '../../test/support/test-database.ts'
import { ScheduleStarter } from './start-due-schedules.ts'

let db: Db
beforeEach(async () => {
  db = await openTestDatabase()
})
afterEach(() => db[Symbol.asyncDispose]())

const logger = createLogger({ level: 'silent', format: 'json' })
const starterOf = (runs: Pick<RunEngine, 'start'>) => new ScheduleStarter({ db, logger, runs })

const HOUR = 3_600_000
const ago = (ms: number) => new Date(Date.now() - ms)
const EVERY_MINUTE = { cron: '* * * * *', timezone: 'UTC' }
/** None of its times lies between a due one and now. */
const EVERY_YEAR = { cron: '0 0 1 1 *', timezone: 'UTC' }

async function schedule(agentId: string, times: ScheduleTimes): Promise<string> {
  const run = { ...newRun(agentId, 'Anything new?'), thread: { agentId } }
  return (await createSchedule(db, run, { messages: [] }, times)).id
}

const setDue = statement('test-set-due', 'update schedules set next_due_at = $1')
const endClaims = statement('test-end-claims', 'update schedules set claimed_until = now()')
const readSchedules = statement(
  'test-read-schedules',
  'select id, next_due_at, last_due_at, last_run_id from schedules order by id',
)
const readRuns = statement('test-read-runs', 'select id, status, metadata from runs order by created_at')
interface ScheduleState {
  id: string
  next_due_at: Date | null
  last_due_at: Date | null
  last_run_id: string | null
}
const schedules = () => db.query<ScheduleState>(readSchedules)
const runs = () =>
  db.query<{ id: string; status: string; metadata: { schedule_id: string; scheduled_for: string } }>(readRuns)

test('two processes start what is due once each', async () => {
  const { agentId, registry, engine } = await createScriptedAgent(db, () => ({ text: 'No.' }))
  const other = createTestEngine(db, registry, 'process-2')
  const ids = await Promise.all(Array.from({ length: 20 }, () => schedule(agentId, { at: ago(1000) })))
  const later = await schedule(agentId, { at: ago(-HOUR) })
  await Promise.all([starterOf(engine).startDue(), starterOf(other).startDue()])
  const started = await runs()
  expect(started.map(({ metadata }) => metadata.schedule_id).toSorted()).toEqual(ids.toSorted())
  for (const state of await schedules()) expect(state.next_due_at === null).toBe(state.id !== later)
  expect(await starterOf(engine).startDue()).toBe(0)
  await Promise.all([engine[Symbol.asyncDispose](), other[Symbol.asyncDispose]()])
})

test('a process that dies after the start and before it is noted leaves one run', async () => {
  const { agentId, registry, engine } = await createScriptedAgent(db, () => ({ text: 'No.' }))
  const other = createTestEngine(db, registry, 'process-2')
  await schedule(agentId, EVERY_YEAR)
  const due = ago(5_000)
  await db.query(setDue, [due])
  let hasDied = false
  const dying: Pick<RunEngine, 'start'> = {
    async start(run, listener) {
      await engine.start(run, listener)
      hasDied = true
      throw new Error('kill -9')
    },
  }
  await starterOf(dying).startDue()
  await engine.idle()
  expect(hasDied).toBe(true)
  expect(await schedules()).toMatchObject([{ next_due_at: due, last_run_id: null }])
  expect(await runs()).toHaveLength(1)

  // its claim still holds
  expect(await starterOf(other).startDue()).toBe(0)
  await db.query(endClaims)
  expect(await starterOf(other).startDue()).toBe(1)
  const [run, ...more] = await runs()
  expect(more).toEqual([])
  expect(await schedules()).toMatchObject([{ last_due_at: due, last_run_id: run?.id, next_due_at: expect.any(Date) }])
  await Promise.all([engine[Symbol.asyncDispose](), other[Symbol.asyncDispose]()])
})

test('after a night without a process one run makes up for all missed times, and then it goes on', async () => {
  const { agentId, engine } = await createScriptedAgent(db, () => ({ text: 'No.' }))
  const recurring = await schedule(agentId, EVERY_MINUTE)
  const once = await schedule(agentId, { at: ago(HOUR) })
  const due = ago(10 * HOUR)
  await db.query(setDue, [due])
  const starter = starterOf(engine)
  await starter.startDue()
  await starter.startDue()
  const started = await runs()
  expect(started.map(({ metadata }) => metadata.schedule_id).toSorted()).toEqual([recurring, once].toSorted())
  expect(started.every(({ metadata }) => metadata.scheduled_for === due.toISOString())).toBe(true)
  const states = new Map((await schedules()).map((state) => [state.id, state]))
  expect(states.get(once)?.next_due_at).toBeNull()
  const untilNext = (states.get(recurring)?.next_due_at?.getTime() ?? 0) - Date.now()
  expect(untilNext).toBeGreaterThan(0)
  expect(untilNext).toBeLessThanOrEqual(60_000)
  await engine[Symbol.asyncDispose]()
})

test('runs of a schedule do not pile up: the next one waits until the last has ended', async () => {
  const answer = Promise.withResolvers<void>()
  const { agentId, engine } = await createScriptedAgent(db, async () => {
    await answer.promise
    return { text: 'No.' }
  })
  await schedule(agentId, EVERY_MINUTE)
  const starter = starterOf(engine)
  await db.query(setDue, [ago(2000)])
  expect(await starter.startDue()).toBe(1)
  await db.query(setDue, [ago(1000)])
  expect(await starter.startDue()).toBe(0)
  answer.resolve()
  await engine.idle()
  expect(await starter.startDue()).toBe(1)
  expect(await runs()).toHaveLength(2)
  await engine[Symbol.asyncDispose]()
})

test('what is done is kept for a while, what is not for ever', async () => {
  const { agentId, engine } = await createScriptedAgent(db, () => ({ text: 'No.' }))
  await schedule(agentId, { at: ago(2 * HOUR) })
  await schedule(agentId, EVERY_MINUTE)
  await starterOf(engine).startDue()
  expect(await pruneSchedules(db, 3 * HOUR, 10)).toBe(0)
  expect(await pruneSchedules(db, HOUR, 10)).toBe(1)
  expect(await schedules()).toHaveLength(1)
  await engine[Symbol.asyncDispose]()
})
