import { AsyncLocalStorage } from 'node:async_hooks'
import { createHash } from 'node:crypto'
import { type Db, type Queryable, statement } from '#store/db.ts'
import { type Candidate, type CandidateOptions, type OpenCandidate, TurnEnds } from './candidate.ts'
import { acceptMessage, commitAnswer, commitCall, commitEffect, readContext } from './domain-turn.ts'
import { loadPackage } from './packages.ts'

type InTransaction = <Result>(work: (tx: Queryable) => Promise<Result>, name: string) => Promise<Result>
interface DbosModule {
  DBOS: {
    setConfig(config: object): void
    launch(): Promise<void>
    shutdown(): Promise<void>
    registerQueue(name: string, options: object): Promise<unknown>
    registerWorkflow<Args extends unknown[]>(
      work: (...args: Args) => Promise<void>,
      options: object,
    ): (...args: Args) => Promise<void>
    startWorkflow<Args extends unknown[]>(
      workflow: (...args: Args) => Promise<void>,
      options: object,
    ): (...args: Args) => Promise<unknown>
    runStep(work: () => Promise<void>, config: object): Promise<void>
    workflowID: string | undefined
    stepID: number | undefined
  }
}
interface DatasourceModule {
  registerDataSource(handler: object): void
  runTransaction<Result>(work: () => Promise<Result>, name: string, options: { dsName: string }): Promise<Result>
  migrateDataSourcePG(execute: (sql: string) => Promise<Record<string, unknown>[]>): Promise<void>
  assertStillOwnsWorkflow(workflowId: string): Promise<void>
  replayRecordedStep(recorded: object): unknown
}

const findOutcome = statement(
  'dbos-find-outcome',
  'select output, error from dbos.transaction_completion where workflow_id = $1 and function_num = $2::integer',
)
const insertOutcome = statement(
  'dbos-insert-outcome',
  'insert into dbos.transaction_completion (workflow_id, function_num, output) values ($1, $2::integer, $3)',
)
const deleteOutcomes = statement(
  'dbos-delete-outcomes',
  'delete from dbos.transaction_completion where workflow_id = $1 and function_num >= $2::integer',
)

/**
 * A data source over our own connection pool, after the interface that the SDK describes: the step's record commits in the
 * transaction of the step, and only by the execution that still owns the workflow. The published data sources are older than
 * this SDK.
 */
function registerOurDatabase(db: Db, ds: DatasourceModule, { DBOS }: DbosModule): InTransaction {
  const current = new AsyncLocalStorage<Queryable>()
  ds.registerDataSource({
    name: 'ours',
    initialize: () =>
      db.transaction((tx) =>
        ds.migrateDataSourcePG((sql) => tx.query({ name: createHash('md5').update(sql).digest('hex'), text: sql })),
      ),
    destroy: async () => {},
    async deleteCheckpoints(workflowId: string, startStep: number, beforeCommit?: () => Promise<void>) {
      await db.transaction(async (tx) => {
        await tx.query(deleteOutcomes, [workflowId, startStep])
        await beforeCommit?.()
      })
    },
    async invokeTransactionFunction(_config: unknown, target: unknown, work: (this: unknown) => Promise<unknown>) {
      const key = [DBOS.workflowID, DBOS.stepID]
      const [recorded] = await db.query<{ output: string; error: string }>(findOutcome, key)
      if (recorded !== undefined) return ds.replayRecordedStep(recorded)
      return db.transaction(async (tx) => {
        const result = await current.run(tx, () => work.call(target))
        const output = JSON.stringify({ json: result ?? null })
        await tx.query(insertOutcome, [...key, output])
        await ds.assertStillOwnsWorkflow(DBOS.workflowID ?? '')
        return result
      })
    },
  })
  return (work, name) => ds.runTransaction(() => work(current.getStore() ?? db), name, { dsName: 'ours' })
}

/**
 * A turn as a DBOS workflow.
 * @param isModelAStep as its manual has it, the model's answer is a step of its own; without, a crash asks the model again, as our engine does
 * @param isQueued through a queue that is partitioned by thread, which is how DBOS keeps order within one
 */
async function openDbos(
  { db, databaseUrl, processName, model }: CandidateOptions,
  { isModelAStep, isQueued }: { isModelAStep: boolean; isQueued: boolean },
): Promise<Candidate> {
  const dbos = loadPackage<DbosModule>('@dbos-inc/dbos-sdk')
  const { DBOS } = dbos
  const inTransaction = registerOurDatabase(db, loadPackage('@dbos-inc/dbos-sdk/datasource'), dbos)
  // its handles poll the database for the end; that would be counted against it
  const ends = new TurnEnds()
  const ask = () => (isModelAStep ? DBOS.runStep(model, { name: 'model' }) : model())
  const workflow = DBOS.registerWorkflow(
    async (agentId: string, runId: string) => {
      const turn = await inTransaction((tx) => acceptMessage(tx, runId, agentId), 'accept')
      const block = await readContext(db, turn)
      await ask()
      const call = await inTransaction((tx) => commitCall(tx, turn, block), 'call')
      await inTransaction((tx) => commitEffect(tx, turn, call), 'effect')
      await ask()
      await inTransaction((tx) => commitAnswer(tx, turn), 'answer')
      ends.tell(runId)
    },
    { name: 'turn' },
  )
  DBOS.setConfig({
    name: 'bench',
    systemDatabaseUrl: databaseUrl,
    systemDatabasePoolSize: 20,
    executorID: processName,
    applicationVersion: '1',
    logLevel: 'error',
    tracingEnabled: false,
    enableOTLP: false,
  })
  await DBOS.launch()
  // the shortest pause that its queues take; a second unless told
  if (isQueued) await DBOS.registerQueue('turns', { partitionConcurrency: 1, minPollingIntervalMs: 50 })
  return {
    async turn(agentId, runId) {
      const queue = isQueued ? { queueName: 'turns', enqueueOptions: { queuePartitionKey: agentId } } : {}
      const ended = ends.wait(runId)
      await DBOS.startWorkflow(workflow, { workflowID: runId, ...queue })(agentId, runId)
      await ended
    },
    [Symbol.asyncDispose]: () => DBOS.shutdown(),
  }
}

export const openDbosAsDocumented: OpenCandidate = (options) =>
  openDbos(options, { isModelAStep: true, isQueued: false })
export const openDbosLean: OpenCandidate = (options) => openDbos(options, { isModelAStep: false, isQueued: false })
export const openDbosQueued: OpenCandidate = (options) => openDbos(options, { isModelAStep: false, isQueued: true })
