import type { RunLoopOptions } from '#agent/open-turn.ts'
import { createRunLoop } from '#agent/run-loop.ts'
import type { ModelRegistry } from '#llm/model.ts'
import { createLogger } from '#platform/logger.ts'
import { RunEngine, type RunEngineOptions } from '#runs/run-engine.ts'
import type { RunEvent } from '#runs/run-events.ts'
import type { Db } from '#store/db.ts'
import { openDatabase } from '#store/open-database.ts'
import { ensurePartitions } from '#store/partitions.ts'
import { findBrokenInvariants } from './database-state.ts'
import { newRun } from './test-agent.ts'
import { createPostgresDatabase } from './test-database.ts'

export interface EngineOptions extends Partial<Pick<RunEngineOptions, 'leaseMs' | 'maxActive' | 'maxQueued'>> {
  models: ModelRegistry
  findTool?: RunLoopOptions['findTool']
  /** Hears no notification, as behind a pooler of transactions. */
  isDeaf?: boolean
  db?: Db
}

/** Engines that share nothing but a PostgreSQL database of their own, each with its own pool. */
export async function openEngines() {
  const database = await createPostgresDatabase()
  const open = () => openDatabase({ kind: 'postgres', url: database.url, poolSize: 6 })
  const db = await open()
  await ensurePartitions(db, new Date())
  const pools: Db[] = [db]
  const engines: RunEngine[] = []
  const logger = createLogger({ level: 'silent', format: 'json' })
  return {
    db,
    async start(owner: string, { models, findTool, isDeaf, leaseMs, maxActive, maxQueued, ...rest }: EngineOptions) {
      const pool = await open()
      pools.push(pool)
      const inner = rest.db ?? pool
      const own: Db = isDeaf ? { ...wrap(inner), listen: async () => async () => {} } : inner
      const engine = new RunEngine({
        db: own,
        logger,
        owner,
        leaseMs: leaseMs ?? 4000,
        ...(maxActive === undefined ? {} : { maxActive }),
        ...(maxQueued === undefined ? {} : { maxQueued }),
        execute: createRunLoop({
          db: own,
          models,
          logger,
          maxContextWindow: 128_000,
          ...(findTool === undefined ? {} : { findTool }),
        }),
      })
      engines.push(engine)
      await engine.open()
      return engine
    },
    /** @returns what is broken in what is left */
    async close(): Promise<string[]> {
      for (const engine of engines) await engine[Symbol.asyncDispose]()
      const broken = await findBrokenInvariants(db)
      for (const pool of pools) await pool[Symbol.asyncDispose]()
      await database.remove()
      return broken
    },
  }
}

const wrap = (db: Db): Db => ({
  engine: db.engine,
  query: (statement, params) => db.query(statement, params),
  transaction: (work) => db.transaction(work),
  execute: (script) => db.execute(script),
  maintain: (task, commands) => db.maintain(task, commands),
  listen: (channel, onNotify) => db.listen(channel, onNotify),
  [Symbol.asyncDispose]: async () => {},
})

type RunEnd = Extract<RunEvent, { type: 'run-end' }>

/** Starts a run, and gives what its listener hears. */
export async function startRun(
  engine: RunEngine,
  agentId: string,
  text: string,
  over: Partial<ReturnType<typeof newRun>> = {},
) {
  const run = { ...newRun(agentId, text), ...over }
  const events: RunEvent[] = []
  const end = Promise.withResolvers<RunEnd>()
  const started = await engine.start(run, (event) => {
    events.push(event)
    if (event.type === 'run-end') end.resolve(event)
  })
  return { runId: run.runId, isActive: started?.isActive, events, end: end.promise }
}
