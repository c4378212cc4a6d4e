import { afterEach, beforeEach, expect, test } from 'vitest'
import { createLogger } from '#platform/logger.ts'
import { type Db, type Queryable, statement } from '#store/db.ts'
import { TEST_ACTOR } from '../../test/support/test-agent.ts'
import { openTestDatabase } from '../../test/support/test-database.ts'
import { createArchive } from './create-archive.ts'
import { insertArchivePassages } from './insert-archive-passages.ts'
import { removeArchive } from './remove-archive.ts'
import { RetrievalLog } from './retrieval-log.ts'

const { organizationId } = TEST_ACTOR
const logger = createLogger({ level: 'silent', format: 'json' })
let db: Db
let archiveId: string
let ids: string[]
beforeEach(async () => {
  db = await openTestDatabase()
  const fields = { name: 'boats', description: null, embedding: null }
  archiveId = (await createArchive(db, { ...TEST_ACTOR, projectId: null }, fields)).id
  const passages = Array.from({ length: 5 }, (_, index) => ({ text: `boat ${index}` }))
  ids = (await insertArchivePassages(db, TEST_ACTOR, archiveId, passages)).map(({ id }) => id)
})
afterEach(() => db[Symbol.asyncDispose]())

const read = statement(
  'test-read-retrievals',
  'select passage_id, retrieval_count, last_retrieved_at from passage_retrievals order by passage_id',
)
interface Row {
  passage_id: string
  retrieval_count: number
  last_retrieved_at: Date
}
const rows = () => db.query<Row>(read)
const counts = async () => Object.fromEntries((await rows()).map((row) => [row.passage_id, row.retrieval_count]))
const at = (index: number) => ids[index] ?? ''

test('what searches give is counted, in one statement for many, and those that are gone are passed over', async () => {
  const began = Date.now()
  let statements = 0
  const counting: Queryable = {
    ...db,
    query: (given, params) => {
      statements += 1
      return db.query(given, params)
    },
  }
  await using log = new RetrievalLog({ db: counting, logger })
  for (let round = 0; round < 100; round += 1) log.recordRetrieved(organizationId, [at(0), at(1)])
  log.recordRetrieved(organizationId, [at(1), 'passage-that-is-gone'])
  log.recordRetrieved('org-that-is-gone', [at(2)])
  expect(await rows()).toEqual([])
  await log.flush()
  expect(statements).toBe(2)
  expect(await counts()).toEqual({ [at(0)]: 100, [at(1)]: 101 })
  log.recordRetrieved(organizationId, [at(1)])
  await log.flush()
  expect(await counts()).toEqual({ [at(0)]: 100, [at(1)]: 102 })
  for (const { last_retrieved_at: last } of await rows()) expect(last.getTime()).toBeGreaterThanOrEqual(began)
  await removeArchive(db, organizationId, archiveId)
  expect(await rows()).toEqual([])
})

test('it is written by itself after a moment, and at the end of the process', async () => {
  {
    await using log = new RetrievalLog({ db, logger, everyMs: 50 })
    log.recordRetrieved(organizationId, [at(3)])
    await expect.poll(counts).toEqual({ [at(3)]: 1 })
    log.recordRetrieved(organizationId, [at(4)])
  }
  expect(await counts()).toEqual({ [at(3)]: 1, [at(4)]: 1 })
})

test('several servers at once add up', async () => {
  const logs = Array.from({ length: 8 }, () => new RetrievalLog({ db, logger }))
  for (const [index, log] of logs.entries()) {
    log.recordRetrieved(organizationId, index % 2 === 0 ? ids : ids.toReversed())
  }
  await Promise.all(logs.map((log) => log[Symbol.asyncDispose]()))
  expect(Object.values(await counts())).toEqual([8, 8, 8, 8, 8])
})

test('a database that is away costs counts, not the searches, and not the process', async () => {
  const gone = { ...db, query: () => Promise.reject(new Error('the database is away')) }
  const log = new RetrievalLog({ db: gone, logger })
  for (let round = 0; round < 30_000; round += 1) log.recordRetrieved(organizationId, [`passage-${round}`])
  await log.flush()
  await log[Symbol.asyncDispose]()
  const hanging = { ...db, query: () => new Promise<never>(() => undefined) }
  const stuck = new RetrievalLog({ db: hanging, logger })
  stuck.recordRetrieved(organizationId, [at(0)])
  const began = performance.now()
  await stuck[Symbol.asyncDispose]()
  expect(performance.now() - began).toBeLessThan(10_000)
  expect(await rows()).toEqual([])
})
