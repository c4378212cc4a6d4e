import { createHash } from 'node:crypto'
import type { Queryable } from '#store/db.ts'
import { type Candidate, type CandidateOptions, TurnEnds } from './candidate.ts'
import { type AcceptedTurn, acceptMessage, commitAnswer, commitCall, commitEffect, readContext } from './domain-turn.ts'
import { loadPackage } from './packages.ts'

interface BossDatabase {
  executeSql(text: string, values?: unknown[]): Promise<{ rows: unknown[] }>
}
interface Job {
  id: string
  data: AcceptedTurn
  retryCount: number
}
interface Boss extends NodeJS.EventEmitter {
  start(): Promise<unknown>
  stop(options: object): Promise<void>
  createQueue(name: string, options: object): Promise<void>
  send(name: string, data: object, options: object): Promise<string | null>
  work(name: string, options: object, handler: (jobs: Job[]) => Promise<void>): Promise<string>
  complete(name: string, job: { id: string; retryCount: number }, data: null, options: object): Promise<unknown>
}

/** Lets pg-boss send its statements through a transaction of ours. */
const inside = (tx: Queryable): BossDatabase => ({
  executeSql: async (text, values = []) => {
    const name = `boss-${createHash('md5').update(text).digest('hex')}`
    const params = values.map((value) =>
      value !== null && typeof value === 'object' && !Array.isArray(value) ? JSON.stringify(value) : value,
    )
    return { rows: await tx.query({ name, text }, params) }
  },
})

/**
 * A turn as a job of pg-boss: sent in the transaction that accepts the message, completed in the one that ends the run. What
 * lies between are our own statements behind our own fence: pg-boss knows jobs, not steps.
 */
export async function openPgBoss({ db, databaseUrl, model, concurrency }: CandidateOptions): Promise<Candidate> {
  const { PgBoss } = loadPackage<{ PgBoss: new (options: object) => Boss }>('pg-boss')
  const boss = new PgBoss({
    connectionString: databaseUrl,
    max: 20,
    useListenNotify: true,
    // the fastest that it takes, so that a dead worker is noticed soon
    superviseIntervalSeconds: 1,
    monitorIntervalSeconds: 1,
    maintenanceIntervalSeconds: 1,
  })
  boss.on('error', (error) => console.error('pg-boss:', error))
  await boss.start()
  await boss.createQueue('turns', {
    policy: 'key_strict_fifo',
    heartbeatSeconds: 10,
    retryLimit: 5,
    notify: true,
    expireInSeconds: 600,
  })
  const ends = new TurnEnds()
  await boss.work(
    'turns',
    {
      localConcurrency: concurrency,
      pollingIntervalSeconds: 0.5,
      notifyPollingIntervalSeconds: 0.5,
      includeMetadata: true,
    },
    async ([job]) => {
      if (job === undefined) return
      const turn = job.data
      const block = await readContext(db, turn)
      await model()
      await commitEffect(db, turn, await commitCall(db, turn, block))
      await model()
      await db.transaction(async (tx) => {
        await commitAnswer(tx, turn)
        await boss.complete('turns', { id: job.id, retryCount: job.retryCount }, null, { db: inside(tx) })
      })
      ends.tell(turn.runId)
    },
  )
  return {
    async turn(agentId, runId) {
      const ended = ends.wait(runId)
      await db.transaction(async (tx) => {
        const turn = await acceptMessage(tx, runId, agentId)
        await boss.send('turns', turn, { singletonKey: agentId, db: inside(tx) })
      })
      await ended
    },
    [Symbol.asyncDispose]: () => boss.stop({ graceful: false }),
  }
}
