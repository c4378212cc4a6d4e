import { afterAll, beforeAll, expect, it } from 'vitest'
import { createLogger } from '#platform/logger.ts'
import { openTestDatabase, testEngine } from '../../test/support/test-database.ts'
import { prepareDatabase } from '../context.ts'
import { type Db, statement } from './db.ts'
import { lackOf } from './describe-database.ts'

let db: Db
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db[Symbol.asyncDispose]())

it('PostgreSQL 15 with pgvector 0.8 lacks nothing', () => {
  const of = (version: number, vector_version: string | null) => lackOf({ version, vector_version })
  expect(of(17, '0.8.0')).toBeUndefined()
  expect(of(15, '1.0.0')).toBeUndefined()
  expect(of(14, '0.8.0')).toContain('15 or newer')
  expect(of(16, null)).toMatch(/no pgvector.*postgresql-16-pgvector\.$/)
  expect(of(16, '0.5.1')).toMatch(/pgvector 0\.5\.1: 0\.8 or newer.*alter extension/)
})

it.runIf(testEngine() === 'postgres')('a server does not start on an older one, and says what to do', async () => {
  const logger = createLogger({ level: 'silent', format: 'json' })
  await prepareDatabase(db, logger)
  await db.query(statement('test-age', `update pg_extension set extversion = '0.7.4' where extname = 'vector'`))
  await expect(prepareDatabase(db, logger)).rejects.toThrow(
    /PERDURE_DATABASE_URL: .*0\.7\.4.*alter extension vector update/,
  )
})
