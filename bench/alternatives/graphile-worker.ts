import { statement } from '#store/db.ts'
import { type Candidate, type CandidateOptions, TurnEnds } from './candidate.ts'
import { type AcceptedTurn, acceptMessage, commitAnswer, commitCall, commitEffect, readContext } from './domain-turn.ts'
import { loadPackage } from './packages.ts'

interface GraphileModule {
  run(options: object): Promise<{ stop(): Promise<void> }>
  Logger: new (factory: () => () => void) => object
}

const addJob = statement(
  'graphile-add-job',
  `select id from graphile_worker.add_job('turn', payload := $1::json, queue_name := $2)`,
)

/**
 * A turn as a job of Graphile Worker: added in the transaction that accepts the message, in a queue named after the thread. It
 * marks the job as done by itself, after the task has returned: that cannot be in a transaction of ours.
 */
export async function openGraphileWorker({
  db,
  databaseUrl,
  model,
  concurrency,
}: CandidateOptions): Promise<Candidate> {
  const { run, Logger } = loadPackage<GraphileModule>('graphile-worker')
  const ends = new TurnEnds()
  const runner = await run({
    connectionString: databaseUrl,
    concurrency,
    maxPoolSize: 20,
    noHandleSignals: true,
    pollInterval: 500,
    logger: new Logger(() => () => {}),
    taskList: {
      async turn(payload: unknown) {
        const turn = payload as AcceptedTurn
        const block = await readContext(db, turn)
        await model()
        await commitEffect(db, turn, await commitCall(db, turn, block))
        await model()
        await commitAnswer(db, turn)
        ends.tell(turn.runId)
      },
    },
  })
  return {
    async turn(agentId, runId) {
      const ended = ends.wait(runId)
      await db.transaction(async (tx) => {
        const turn = await acceptMessage(tx, runId, agentId)
        await tx.query(addJob, [JSON.stringify(turn), agentId])
      })
      await ended
    },
    [Symbol.asyncDispose]: () => runner.stop(),
  }
}
