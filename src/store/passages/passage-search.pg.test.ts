import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Db } from '#store/db.ts'
import { findExactly } from '#store/embeddings/nearest.ts'
import { openTestDatabase } from '../../../test/support/test-database.ts'
import { listNewestPassages, type PassageScope, passageVectorScope, resolveTags } from './passage-search.ts'

/** An archive in which each passage has one tag, each hundredth a second one and each thousandth a third one, and an archive with the same tags beside it. */
const FILL = `
insert into organizations (id, name) values ('org-1', 'O');
insert into archives (organization_id, id, name) values ('org-1', 'archive-1', 'A'), ('org-1', 'archive-2', 'B');
create table test_passages as select 'archive-' || a as archive, 'passage-' || a || '-' || i as id, now() - i * interval '1 second' as at,
  array['common'] || case when i % 100 = 0 then array['some'] else '{}' end || case when i % 1000 = 0 then array['rare'] else '{}' end as tags
  from generate_series(1, 2) as a, generate_series(1, 2100) as i;
insert into passages (organization_id, id, archive_id, text, tags, created_at) select 'org-1', id, archive, 'Text', tags, at from test_passages;
insert into passage_tags (organization_id, archive_id, tag, passage_id)
  select 'org-1', archive, tag, id from test_passages cross join unnest(tags) as tag;
insert into embedding_models (handle, dimensions) values ('test/model', 384);
insert into embeddings (organization_id, source_id, kind, scope_id, created_at, model, v384)
  select 'org-1', id, 'passage', archive, at, 1, array_fill(1, array[384])::halfvec from test_passages`

let db: Db
beforeAll(async () => {
  db = await openTestDatabase()
  await db.execute(FILL)
})
afterAll(() => db[Symbol.asyncDispose]())

const inOne = { organizationId: 'org-1', archiveId: 'archive-1' }
const RARE = ['passage-1-1000', 'passage-1-2000']

describe('passages with tags', () => {
  it.each<[string, PassageScope, string[] | number]>([
    ['a few', { ...inOne, tags: ['rare'] }, RARE],
    ['any of two', { ...inOne, tags: ['rare', 'some'] }, 21],
    ['all of two', { ...inOne, tags: ['rare', 'some'], tagMatchMode: 'all' }, RARE],
    ['all of two, of which one is common', { ...inOne, tags: ['rare', 'common'], tagMatchMode: 'all' }, RARE],
    ['more than are listed', { ...inOne, tags: ['rare', 'common'] }, 2100],
    ['more than are listed have all', { ...inOne, tags: ['common', 'common'], tagMatchMode: 'all' }, 2100],
    ['a tag that nothing has', { ...inOne, tags: ['other'] }, []],
    ['one and one that nothing has', { ...inOne, tags: ['rare', 'other'], tagMatchMode: 'all' }, []],
    [
      'of a whole organisation',
      { organizationId: 'org-1', tags: ['rare'] },
      [...RARE, 'passage-2-1000', 'passage-2-2000'],
    ],
    ['none of another organisation', { organizationId: 'org-2', tags: ['rare'] }, []],
  ])('%s: are found by words, by vectors, and when nothing is asked for', async (_, scope, expected) => {
    const resolved = await resolveTags(db, scope)
    const newest = (await listNewestPassages(db, resolved, [], 5_000)).map(({ id }) => id).sort()
    const vector = new Float32Array(384).fill(1)
    const near = await findExactly(db, { id: 1, dimensions: 384 }, vector, passageVectorScope(resolved), 5_000)
    expect(Array.isArray(expected) ? newest : newest.length).toEqual(expected)
    expect(near.map(({ id }) => id).sort()).toEqual(newest)
    expect(resolved.tags === undefined).toBe(newest.length <= 2_000)
  })
})
