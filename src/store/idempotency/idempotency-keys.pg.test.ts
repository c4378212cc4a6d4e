import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestDatabase } from '../../../test/support/test-database.ts'
import { type Db, statement } from '../db.ts'
import { pruneIdempotencyKeys } from './prune-idempotency-keys.ts'
import { claimRequestKey, type RequestAttempt, releaseRequestKey, storeRequestAnswer } from './request-key.ts'

let db: Db
beforeAll(async () => {
  db = await openTestDatabase()
  await db.execute(`insert into organizations (id, name) values ('org-1', 'one'), ('org-2', 'two')`)
})
afterAll(() => db[Symbol.asyncDispose]())

const attempt = (attemptId: string, over: Partial<RequestAttempt> = {}): RequestAttempt => ({
  organizationId: 'org-1',
  hash: 'key',
  fingerprint: 'request',
  attemptId,
  ...over,
})
const shift = (column: string) =>
  db.query(statement(`test-shift-${column}`, `update idempotency_keys set ${column} = now() - interval '1 second'`))

test('of many attempts at once one is made, in each organization', async () => {
  const claims = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      claimRequestKey(
        db,
        attempt(`a${index}`, { hash: 'crowd', organizationId: index % 2 === 0 ? 'org-1' : 'org-2' }),
        60_000,
      ),
    ),
  )
  expect(claims.map(({ kind }) => kind).sort()).toEqual([...Array(2).fill('claimed'), ...Array(18).fill('under-way')])
})

test('an attempt is made again after its time, and the one that was late changes nothing', async () => {
  expect(await claimRequestKey(db, attempt('one'), 60_000)).toEqual({ kind: 'claimed' })
  expect(await claimRequestKey(db, attempt('two', { fingerprint: 'other' }), 60_000)).toEqual({ kind: 'other-request' })
  await shift('attempt_expires_at')
  expect(await claimRequestKey(db, attempt('two', { fingerprint: 'other' }), 60_000)).toEqual({ kind: 'other-request' })
  expect(await claimRequestKey(db, attempt('two'), 60_000)).toEqual({ kind: 'claimed' })
  await storeRequestAnswer(db, attempt('one'), { status: 500, headers: {}, body: 'late' })
  await releaseRequestKey(db, attempt('one'))
  expect(await claimRequestKey(db, attempt('three'), 60_000)).toEqual({ kind: 'under-way' })
  const answer = { status: 200, headers: { 'content-type': 'text/plain' }, body: 'done' }
  await storeRequestAnswer(db, attempt('two'), answer)
  await releaseRequestKey(db, attempt('two'))
  expect(await claimRequestKey(db, attempt('three'), 60_000)).toEqual({ kind: 'answered', answer })
})

test('keys are deleted in small bites when their time is over', async () => {
  expect(await pruneIdempotencyKeys(db, 10)).toBe(0)
  await shift('expires_at')
  expect(await pruneIdempotencyKeys(db, 2)).toBe(2)
  expect(await pruneIdempotencyKeys(db, 2)).toBe(1)
})
