import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DEFAULT_USER_ID, DEFAULT_ORGANIZATION_ID as ORGANIZATION } from '#platform/ids.ts'
import { type Db, statement } from '#store/db.ts'
import { seedTurn } from '../../test/support/seed.ts'
import { openTestDatabase } from '../../test/support/test-database.ts'
import { insertArchivePassages } from './insert-archive-passages.ts'
import { insertPassage } from './insert-passage.ts'
import { removePassage } from './remove-passage.ts'
import { NO_VECTORS } from './search/vector-search.ts'
import { type PassageSearch, searchPassages } from './search-passages.ts'

const actor = { organizationId: ORGANIZATION, userId: DEFAULT_USER_ID }
let db: Db
let agentId: string
const sent: string[] = []

beforeAll(async () => {
  db = await openTestDatabase({ onStatement: (name) => sent.push(name) })
  agentId = (await seedTurn(db, ORGANIZATION)).agentId
  const texts: [string, string[], string][] = [
    ['Nils sails a blue boat on the Baltic Sea.', ['boat', 'sea'], '2026-01-01T12:00:00Z'],
    ['The boat of Nils is painted in a deep and beautiful blue.', ['boat'], '2026-01-02T12:00:00Z'],
    ['Ada collects old maps.', ['maps'], '2026-01-03T12:00:00Z'],
    ['Sailing lessons start in May.', ['sea', 'plans'], '2026-01-04T12:00:00Z'],
    ['東京タワーは赤い。', [], '2026-01-05T12:00:00Z'],
    ['Discount code: 50%_OFF', [], '2026-01-06T12:00:00Z'],
  ]
  for (const [text, tags, time] of texts) {
    await insertPassage(db, actor, agentId, { text, tags, createdAt: new Date(time) })
  }
})
afterAll(() => db[Symbol.asyncDispose]())

async function search(query: string, over: Partial<PassageSearch> = {}): Promise<string[]> {
  const found = await searchPassages(
    { db, vectors: NO_VECTORS },
    { organizationId: ORGANIZATION, agentId, query, limit: 10, ...over },
  )
  return found.map((row) => row.text.slice(0, 12))
}
const NILS_SAILS = 'Nils sails a'
const THE_BOAT = 'The boat of '
const LESSONS = 'Sailing less'
const MAPS = 'Ada collects'

describe('search by words', () => {
  test.each<[string, string, string[]]>([
    ['any inflection, the newest first among equals', 'sailed', [LESSONS, NILS_SAILS]],
    ['more of the words first', 'blue boat sailing', [NILS_SAILS, THE_BOAT, LESSONS]],
    ['words that stand closer first', 'blue boat', [NILS_SAILS, THE_BOAT]],
    ['a phrase', '"blue boat"', [NILS_SAILS]],
    ['an excluded word', 'boat -Baltic', [THE_BOAT]],
    ['an excluded phrase', 'boat -"Baltic Sea"', [THE_BOAT]],
    ['or', 'maps or lessons', [LESSONS, MAPS]],
    ['a question', 'What is the colour of his boat?', [THE_BOAT, NILS_SAILS]],
    ['only an exclusion', '-boat -maps -lessons', ['Discount cod', '東京タワーは赤い。']],
    ['part of a word', 'collec', [MAPS]],
    ['a language without blanks', '東京', ['東京タワーは赤い。']],
    ['wildcards taken literally', '50%_', ['Discount cod']],
    ['unbalanced quotes and operators', '"maps & | ! ( :* \' \\', [MAPS]],
    ['nothing but punctuation', '?!', []],
    ['what is not there', 'zeppelin', []],
  ])('%s: %s', async (_, query, expected) => {
    expect(await search(query)).toEqual(expected)
  })

  test('scores fall, and say why', async () => {
    const found = await searchPassages(
      { db, vectors: NO_VECTORS },
      { organizationId: ORGANIZATION, agentId, query: 'blue boat sailing', limit: 10 },
    )
    const scores = found.map((row) => row.relevance?.score ?? 0)
    expect(found[0]?.relevance).toMatchObject({
      ftsRank: 1,
      vectorRank: null,
      matchedTerms: ['blue', 'boat', 'sailing'],
      mode: 'fts',
    })
    expect(scores).toEqual(scores.toSorted((a, b) => b - a))
  })
})

describe('filters hold before the limit', () => {
  test.each<[string, Partial<PassageSearch>, string[]]>([
    ['any tag', { tags: ['plans', 'maps'] }, [LESSONS, MAPS]],
    ['all tags', { tags: ['boat', 'sea'], tagMatchMode: 'all' }, [NILS_SAILS]],
    ['from a time on', { start: new Date('2026-01-06T00:00:00Z') }, ['Discount cod']],
    ['up to a time, inclusive', { end: new Date('2026-01-01T12:00:00Z') }, [NILS_SAILS]],
    ['the newest two', { limit: 2 }, ['Discount cod', '東京タワーは赤い。']],
    ['an archive that is not there', { agentId: undefined, archiveId: 'archive-x' }, []],
  ])('%s', async (_, over, expected) => {
    expect(await search('', over)).toEqual(expected)
  })

  test('a tag and a limit below the number of better passages without it', async () => {
    expect(await search('boat sailing Nils', { tags: ['plans'], limit: 1 })).toEqual([LESSONS])
  })

  test('of another organisation nothing is found', async () => {
    expect(
      await searchPassages({ db, vectors: NO_VECTORS }, { organizationId: 'org-other', query: 'boat', limit: 5 }),
    ).toEqual([])
    expect(
      (await searchPassages({ db, vectors: NO_VECTORS }, { organizationId: ORGANIZATION, query: 'boat', limit: 5 }))
        .length,
    ).toBe(2)
  })
})

describe('in a large archive', () => {
  let archiveId: string
  beforeAll(async () => {
    const { agentId: busy } = await seedTurn(db, ORGANIZATION, 'Large')
    archiveId = (await insertPassage(db, actor, busy, { text: 'A zebra in the rain.', tags: ['zoo'] })).archive_id
    const notes = Array.from({ length: 600 }, (_, n) => ({
      text: `Rain again, note ${n}.`,
      tags: n < 3 ? ['diary'] : [],
    }))
    await insertArchivePassages(db, actor, archiveId, notes)
  })
  const find = (query: string, over: Partial<PassageSearch> = {}) =>
    search(query, { agentId: undefined, archiveId, limit: 3, ...over })

  test('a rare word comes first, and what has the common ones alone after it', async () => {
    expect(await find('zebra rain')).toEqual(['A zebra in t', 'Rain again, ', 'Rain again, '])
    expect(await find('zebra rain -zoo')).toHaveLength(3)
  })

  test('words that only older texts have are as common as they are, and hide none that is rare', async () => {
    const { agentId: busy } = await seedTurn(db, ORGANIZATION, 'Travels')
    const { archive_id: id } = await insertPassage(db, actor, busy, { text: 'Travels.' })
    const insert = (text: string, count: number) =>
      insertArchivePassages(
        db,
        actor,
        id,
        Array.from({ length: count }, (_, n) => ({ text: `${text} ${n}` })),
      )
    await insert('Paris in spring,', 600)
    await insert('Alice wrote,', 600)
    await insertArchivePassages(db, actor, id, [
      { text: 'Order ABC-4711 was shipped.' },
      { text: 'Alice met Bob in Paris.' },
    ])
    await insert('Rain again,', 600)
    const first = async (query: string) => (await find(query, { archiveId: id, limit: 20, mode: 'fts' }))[0]
    expect(await first('ABC-4711 Paris')).toBe('Order ABC-47')
    expect(await first('Paris Alice')).toBe('Alice met Bo')
    expect(await first('Alice Paris -london')).toBe('Alice met Bo')
  })

  test('a filter that leaves nothing of the rare word leaves what has the common ones', async () => {
    sent.length = 0
    expect(await find('zebra rain', { tags: ['diary'] })).toHaveLength(3)
    expect(sent.filter((name) => name.startsWith('rank-passages-by-parts'))).toEqual([])
  })

  test('a very long word takes no longer than another one', async () => {
    const started = performance.now()
    expect(await find('x'.repeat(2_000_000))).toEqual([])
    expect(performance.now() - started).toBeLessThan(15_000)
  })
})

describe('the archive', () => {
  const readArchive = statement(
    'test-read-archive',
    `select a.name, a.passage_count, (select count(*) from passages p where p.archive_id = a.id) as passages,
       (select count(*) from passage_tags t where t.archive_id = a.id) as tags
     from archives a join agent_archives aa on aa.archive_id = a.id where aa.agent_id = $1`,
  )

  test('comes with the first passage, in one statement, also when ten come at once', async () => {
    const { agentId: other } = await seedTurn(db, ORGANIZATION, "O'Hara")
    sent.length = 0
    await insertPassage(db, actor, other, { text: 'first', tags: ['a', 'a', 'b'] })
    expect(sent).toEqual(['insert-agent-passage'])
    expect(await db.query(readArchive, [other])).toEqual([
      { name: "O'Hara's Archive", passage_count: 1, passages: 1, tags: 2 },
    ])
    const { agentId: busy } = await seedTurn(db, ORGANIZATION, 'Busy')
    await Promise.all(Array.from({ length: 10 }, (_, n) => insertPassage(db, actor, busy, { text: `note ${n}` })))
    expect(await db.query(readArchive, [busy])).toEqual([
      { name: "Busy's Archive", passage_count: 10, passages: 10, tags: 0 },
    ])
  })

  test('keeps its count and tags when a passage goes', async () => {
    const { agentId: other } = await seedTurn(db, ORGANIZATION, 'Bo')
    const passage = await insertPassage(db, actor, other, { text: 'one', tags: ['a'] })
    await expect(removePassage(db, ORGANIZATION, agentId, passage.id)).rejects.toMatchObject({ kind: 'not_found' })
    await expect(removePassage(db, 'org-other', other, passage.id)).rejects.toMatchObject({ kind: 'not_found' })
    await removePassage(db, ORGANIZATION, other, passage.id)
    expect(await db.query(readArchive, [other])).toEqual([
      { name: "Bo's Archive", passage_count: 0, passages: 0, tags: 0 },
    ])
    await expect(removePassage(db, ORGANIZATION, other, passage.id)).rejects.toMatchObject({ kind: 'not_found' })
  })

  test('takes no empty text, none that is too long, and no agent that is not there', async () => {
    await expect(insertPassage(db, actor, agentId, { text: ' ' })).rejects.toMatchObject({ kind: 'unprocessable' })
    await expect(insertPassage(db, actor, agentId, { text: 'x'.repeat(32_769) })).rejects.toMatchObject({
      kind: 'invalid_argument',
    })
    await expect(insertPassage(db, actor, 'agent-none', { text: 'x' })).rejects.toMatchObject({ kind: 'not_found' })
  })
})
