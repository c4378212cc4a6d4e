import { afterAll, beforeAll, expect, it } from 'vitest'
import { DEFAULT_ORGANIZATION_ID, newOrderedId } from '#platform/ids.ts'
import { findDefaultThreadId } from '#store/conversations/find-default-thread-id.ts'
import { type Db, statement } from '#store/db.ts'
import { readMessageFeatures } from '#store/messages/rank-messages.ts'
import { scriptedModel } from '../../test/support/scripted-model.ts'
import { createTestAgent } from '../../test/support/test-agent.ts'
import { openTestDatabase } from '../../test/support/test-database.ts'
import { NO_VECTORS } from './search/vector-search.ts'
import { searchMessages } from './search-messages.ts'

const INSERT = statement(
  'test-insert-turns',
  `insert into messages (organization_id, id, agent_id, conversation_id, role, content, search, created_at)
   select $1, t.id, $2, $3, t.role, jsonb_build_array(jsonb_build_object('type', 'text', 'text', t.text)), perdure_words(t.text),
     '2026-01-01'::timestamptz + t.n * interval '1 day 1 microsecond'
   from jsonb_to_recordset($4::jsonb) as t (n integer, id text, role text, text text) order by t.n`,
)
const COUNT = statement(
  'test-count-turns',
  'update conversations set message_count = message_count + $3 where organization_id = $1 and id = $2',
)

/** Days with a question by the user and an answer, and much about the weather in between. */
const TURNS: [role: string, text: string][] = [
  ['user', 'The weather is fine today.'],
  ['assistant', 'Fine weather indeed.'],
  ['user', 'Which instrument do you think my brother plays?'],
  ['assistant', 'I guess the cello.'],
  ['user', 'Right, since he was six.'],
  ...Array.from({ length: 40 }, (_, index): [string, string] => [
    index % 2 === 0 ? 'user' : 'assistant',
    `The weather of day ${index} was fine, and so was my brother.`,
  ]),
  ['user', 'A zeppelin flew by.'],
]

let db: Db & AsyncDisposable
let agentId: string
beforeAll(async () => {
  db = await openTestDatabase()
  agentId = await createTestAgent(db, scriptedModel(() => ({ text: '' })).registry)
  const thread = await findDefaultThreadId(db, DEFAULT_ORGANIZATION_ID, agentId)
  const rows = TURNS.map(([role, text], n) => ({ n, id: newOrderedId('message'), role, text }))
  await db.query(INSERT, [DEFAULT_ORGANIZATION_ID, agentId, thread, JSON.stringify(rows)])
  await db.query(COUNT, [DEFAULT_ORGANIZATION_ID, thread, rows.length])
})
afterAll(() => db[Symbol.asyncDispose]())

const search = async (query: string, more: object = {}) => {
  const found = await searchMessages(
    { db, vectors: NO_VECTORS },
    {
      organizationId: DEFAULT_ORGANIZATION_ID,
      agentId,
      query,
      roles: ['user', 'assistant'],
      limit: 5,
      start: undefined,
      end: undefined,
      ...more,
    },
  )
  return found.map(({ text }) => text)
}

it('a rare word weighs more than a common one, and the answer comes with its question', async () => {
  const found = await search('instrument of my brother')
  expect(found[0]).toBe('Which instrument do you think my brother plays?')
  expect(found.slice(1, 5)).toEqual(expect.arrayContaining(['I guess the cello.', 'Right, since he was six.']))
})

it('filters hold before the limit, for neighbours too', async () => {
  const answers = await search('instrument', { roles: ['assistant'] })
  expect(answers).toEqual([])
  const users = await search('instrument', { roles: ['user'], limit: 3 })
  expect(users).toContain('Right, since he was six.')
  expect(users).not.toContain('I guess the cello.')
  expect(await search('instrument', { start: new Date('2026-01-04') })).toEqual([])
  const until = await search('instrument', { end: new Date('2026-01-03T12:00:00Z') })
  expect(until).not.toContain('I guess the cello.')
  expect(until).toContain('Fine weather indeed.')
})

it('as many are found as are wanted, where there are some with the common words alone', async () => {
  const weather = Array.from({ length: 600 }, (_, n) => ({
    n: n - 700,
    id: newOrderedId('message'),
    role: 'user',
    text: `Rain, day ${n}.`,
  }))
  const other = await createTestAgent(db, scriptedModel(() => ({ text: '' })).registry)
  const thread = await findDefaultThreadId(db, DEFAULT_ORGANIZATION_ID, other)
  const zebra = { n: -701, id: newOrderedId('message'), role: 'assistant', text: 'A zebra in the rain.' }
  await db.query(INSERT, [DEFAULT_ORGANIZATION_ID, other, thread, JSON.stringify([zebra, ...weather])])
  await db.query(COUNT, [DEFAULT_ORGANIZATION_ID, thread, weather.length + 1])
  const found = await search('zebra rain', { agentId: other, mode: 'fts', limit: 3 })
  expect(found).toEqual(['A zebra in the rain.', expect.stringContaining('Rain,'), expect.stringContaining('Rain,')])
  expect(await search('zebra rain', { agentId: other, mode: 'fts', limit: 3, roles: ['user'] })).toHaveLength(3)
})

it('what a model thought, or the address of a picture, is no question', async () => {
  const other = await createTestAgent(db, scriptedModel(() => ({ text: '' })).registry)
  const thread = (await findDefaultThreadId(db, DEFAULT_ORGANIZATION_ID, other)) ?? ''
  const [said, asked] = ['The parrot is blue.', 'Is it?'].map((text, n) => ({
    n,
    id: newOrderedId('message'),
    role: 'user',
    text,
  }))
  await db.query(INSERT, [DEFAULT_ORGANIZATION_ID, other, thread, JSON.stringify([said, asked])])
  const others = [
    { type: 'reasoning', text: 'Why?' },
    { type: 'image', source: { type: 'url', url: 'https://example.com/?a' } },
  ]
  const add = statement(
    'test-add-parts',
    'update messages set content = content || $2::jsonb where id = $1 returning seq::int, created_at',
  )
  const [row] = await db.query<{ seq: number; created_at: Date }>(add, [said?.id, JSON.stringify(others)])
  if (said === undefined || row === undefined) throw new Error('nothing was said')
  const hit = { id: said.id, conversation_id: thread, ...row }
  const scope = { organizationId: DEFAULT_ORGANIZATION_ID, agentId: other }
  const found = await readMessageFeatures(db, scope, [hit], 1, [], [])
  expect(found.map(({ id, asks }) => [id, asks])).toEqual(
    expect.arrayContaining([
      [said?.id, false],
      [asked?.id, true],
    ]),
  )
})

it('a word that must not occur rules its messages out as hits', async () => {
  expect(await search('weather -fine')).toEqual([])
  expect((await search('zeppelin -weather'))[0]).toBe('A zeppelin flew by.')
})

it('words that are everywhere find something when there are no others; words that mean nothing do not', async () => {
  expect(await search('weather')).toHaveLength(5)
  expect(await search('the of')).toEqual([])
  expect(await search('!?')).toEqual([])
  expect((await search(''))[0]).toBe('A zeppelin flew by.')
})

it('another agent has nothing of it', async () => {
  const other = await createTestAgent(db, scriptedModel(() => ({ text: '' })).registry)
  expect(await search('instrument', { agentId: other })).toEqual([])
})

it('what was said months before a message does not stand beside it', async () => {
  const other = await createTestAgent(db, scriptedModel(() => ({ text: '' })).registry)
  const thread = await findDefaultThreadId(db, DEFAULT_ORGANIZATION_ID, other)
  const turns: [n: number, text: string][] = [
    [-99, 'The parrot is blue.'],
    [-60, 'It rains.'],
    [-10, 'The parrot sleeps.'],
    [-9, 'It snows.'],
  ]
  const rows = turns.map(([n, text]) => ({ n, id: newOrderedId('message'), role: 'user', text }))
  await db.query(INSERT, [DEFAULT_ORGANIZATION_ID, other, thread, JSON.stringify(rows)])
  const found = await search('parrot', { agentId: other })
  expect(found.toSorted()).toEqual(['It snows.', 'The parrot is blue.', 'The parrot sleeps.'])
  expect(await search('blue', { agentId: other })).toEqual(['The parrot is blue.'])
  expect(await search('snows', { agentId: other })).toEqual(['It snows.', 'The parrot sleeps.'])
})
