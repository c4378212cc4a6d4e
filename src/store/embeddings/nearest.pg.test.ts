import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Db, statement } from '#store/db.ts'
import { openTestDatabase, testEngine } from '../../../test/support/test-database.ts'
import { findExactly, findNearest, MAX_EXACT, type VectorScope } from './nearest.ts'
import { ensureVectorIndex, hasVectorIndex } from './vector-index.ts'

/** Vectors of one large tenant and some small ones around the same points, as texts about the same things are. */
const FILL = `
select setseed(0.5);
create table test_points as select c, array_agg(random() - 0.5)::vector(384) as v from generate_series(1, 60) as c, generate_series(1, 384) group by c;
create table test_noise as select n, array_agg((random() - 0.5) * 0.9)::vector(384) as v from generate_series(1, 500) as n, generate_series(1, 384) group by n;
insert into organizations (id, name) values ('org-large', 'L'), ('org-small', 'S');
insert into embedding_models (handle, dimensions) values ('test/model', 384);
insert into embeddings (organization_id, source_id, kind, scope_id, role, created_at, model, v384)
  select 'org-large', 'message-' || i, 'message', 'agent-' || (i / 60) % 2, case when (i / 60) % 20 = 0 then 'user' else 'assistant' end,
    now() - i * interval '1 second', 1, (p.v + n.v)::halfvec(384)
  from generate_series(1, ${MAX_EXACT * 2 + 4_000}) as i join test_points as p on p.c = i % 60 + 1 join test_noise as n on n.n = (i / 60) % 500 + 1;
insert into embeddings (organization_id, source_id, kind, scope_id, role, created_at, model, v384)
  select 'org-small', 'message-s' || i, 'message', 'agent-s', 'user', now(), 1, (p.v + n.v)::halfvec(384)
  from generate_series(1, 40) as i join test_points as p on p.c = i join test_noise as n on n.n = i;
analyze embeddings`

const model = { id: 1, dimensions: 384 }
let db: Db
const indexed: string[] = []
beforeAll(async () => {
  db = await openTestDatabase({ onStatement: (name) => indexed.push(name.split('#')[0] ?? '') })
})
afterAll(() => db[Symbol.asyncDispose]())

/** What a query about one of the points is: near to it, and not on it. */
async function queries(count: number): Promise<Float32Array[]> {
  const rows = await db.query<{ v: string }>(
    statement(
      'test-queries',
      'select (p.v + n.v)::text as v from test_points as p join test_noise as n on n.n = 500 - p.c * 3 limit $1',
    ),
    [count],
  )
  return rows.map(({ v }) => Float32Array.from(JSON.parse(v) as number[]))
}

async function recall(scope: VectorScope): Promise<{ recall: number; isIndexed: boolean }> {
  let found = 0
  let wanted = 0
  indexed.length = 0
  for (const vector of await queries(20)) {
    const near = new Set((await findNearest(db, model, vector, scope, 10, true)).map(({ id }) => id))
    const exact = await findExactly(db, model, vector, scope, 10)
    found += exact.filter(({ id }) => near.has(id)).length
    wanted += exact.length
  }
  return { recall: found / wanted, isIndexed: indexed.includes('find-nearest-by-index') }
}

// the embedded database never has the index
describe.runIf(testEngine() === 'postgres')('the index of vectors', () => {
  it('is made when a tenant needs it, and not before', { timeout: 240_000 }, async () => {
    expect(await ensureVectorIndex(db, model)).toBe(false)
    await db.execute(FILL)
    expect(await hasVectorIndex(db, 384)).toBe(false)
    const both = await Promise.all([ensureVectorIndex(db, model), ensureVectorIndex(db, model)])
    expect(both.toSorted()).toEqual([false, true])
    expect(await hasVectorIndex(db, 384)).toBe(true)
    expect(await ensureVectorIndex(db, model)).toBe(false)
  })

  it.each<[string, VectorScope, boolean]>([
    ['a whole tenant', { organizationId: 'org-large', kind: 'message' }, true],
    ['one of its agents', { organizationId: 'org-large', kind: 'message', scopeIds: ['agent-1'] }, true],
    ['a role that few have', { organizationId: 'org-large', kind: 'message', roles: ['user'] }, false],
    ['an hour', { organizationId: 'org-large', kind: 'message', start: new Date(Date.now() - 3_600_000) }, false],
    ['a small tenant beside it', { organizationId: 'org-small', kind: 'message' }, false],
  ])('finds in %s what an exact search finds', { timeout: 60_000 }, async (_, scope, usesIndex) => {
    const measured = await recall(scope)
    expect(measured.recall).toBeGreaterThanOrEqual(usesIndex ? 0.95 : 1)
    expect(measured.isIndexed).toBe(usesIndex)
  })

  it('finds enough where further conditions leave little', { timeout: 60_000 }, async () => {
    const { sql } = await import('kysely')
    const scope: VectorScope = {
      organizationId: 'org-large',
      kind: 'message',
      where: sql`e.source_id like 'message-77%'`,
    }
    const measured = await recall(scope)
    expect(measured).toMatchObject({ isIndexed: true })
    expect(measured.recall).toBeGreaterThanOrEqual(0.95)
  })
})

it('searches exactly where there is no index', async () => {
  if (testEngine() === 'pglite') await db.execute(FILL.replaceAll(String(MAX_EXACT * 2 + 4_000), '600'))
  indexed.length = 0
  const [vector] = await queries(1)
  if (vector === undefined) throw new Error('no query')
  const found = await findNearest(db, model, vector, { organizationId: 'org-small', kind: 'message' }, 5, false)
  expect(found).toHaveLength(5)
  expect(found.map(({ distance }) => distance)).toEqual(found.map(({ distance }) => distance).toSorted((a, b) => a - b))
  expect(indexed).not.toContain('find-nearest-by-index')
})
