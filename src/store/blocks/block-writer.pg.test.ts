import { afterAll, beforeAll, expect, test } from 'vitest'
import { normalizeNewBlock } from '#memory/block-rules.ts'
import { createBlock } from '#memory/create-block.ts'
import { modifyBlock } from '#memory/modify-block.ts'
import { DEFAULT_USER_ID, newId, DEFAULT_ORGANIZATION_ID as ORGANIZATION } from '#platform/ids.ts'
import { type Db, statement } from '#store/db.ts'
import { openTestDatabase } from '../../../test/support/test-database.ts'
import { findBlock } from './block-reader.ts'
import { insertBlocks, updateBlock } from './block-writer.ts'

const author = { type: 'user', userId: DEFAULT_USER_ID } as const
let db: Db
const sent: string[] = []
beforeAll(async () => {
  db = await openTestDatabase({ onStatement: (name) => sent.push(name) })
})
afterAll(() => db[Symbol.asyncDispose]())

const listVersions = statement(
  'test-list-block-versions',
  `select version, label, value, author_type, author_id, run_id, tool_name from block_versions
   where organization_id = $1 and block_id = $2 order by version`,
)

test('blocks, tags and first versions are stored by one statement, in the order given', async () => {
  const blocks = ['one', 'two', 'three'].map((label) => ({
    id: newId('block'),
    ...normalizeNewBlock({ label, value: `value of ${label}`, tags: ['z', 'a', 'z'], metadata: { n: 1 } }),
  }))
  sent.length = 0
  const rows = await insertBlocks(db, ORGANIZATION, blocks, author)
  expect(sent).toEqual(['insert-blocks'])
  expect(rows.map((row) => row.label)).toEqual(['one', 'two', 'three'])
  expect(rows[0]).toMatchObject({ version: 1, tags: ['a', 'z'], metadata: { n: 1 }, created_by_id: DEFAULT_USER_ID })
  const [first] = rows
  if (first === undefined) throw new Error('no row')
  expect(await findBlock(db, ORGANIZATION, first.id)).toEqual(first)
  expect(await db.query(listVersions, [ORGANIZATION, first.id])).toEqual([
    {
      version: 1,
      label: 'one',
      value: 'value of one',
      author_type: 'user',
      author_id: DEFAULT_USER_ID,
      run_id: null,
      tool_name: null,
    },
  ])
  expect(rows.map((row) => row.created_at.getTime())).toEqual(
    rows.map((row) => row.created_at.getTime()).toSorted((a, b) => a - b),
  )
})

test('an update compares the version, records its author and replaces the tags', async () => {
  const block = await createBlock(db, ORGANIZATION, { label: 'facts', value: 'a', tags: ['x', 'y'] }, author)
  const agent = { type: 'agent', agentId: 'agent-1', runId: 'run-1', toolName: 'memory_insert' } as const
  const changed = await updateBlock(db, ORGANIZATION, { ...block, value: 'b', tags: ['y', 'z'] }, agent)
  expect(changed).toMatchObject({ version: 2, value: 'b', tags: ['y', 'z'], last_updated_by_id: DEFAULT_USER_ID })
  expect(await updateBlock(db, ORGANIZATION, { ...block, value: 'c' }, author)).toBeUndefined()
  expect(await findBlock(db, ORGANIZATION, block.id)).toEqual(changed)
  const versions = await db.query<{ author_id: string; tool_name: string }>(listVersions, [ORGANIZATION, block.id])
  expect(versions.map((row) => [row.author_id, row.tool_name])).toEqual([
    [DEFAULT_USER_ID, null],
    ['agent-1', 'memory_insert'],
  ])
})

test('writers at the same moment all get through, one after the other, and none is lost', async () => {
  const block = await createBlock(db, ORGANIZATION, { label: 'shared', value: '', metadata: {} }, author)
  const fields = ['description', 'template_name', 'entity_id', 'deployment_id', 'project_id'] as const
  await Promise.all(fields.map((field) => modifyBlock(db, ORGANIZATION, block.id, { [field]: field }, author)))
  const stored = await findBlock(db, ORGANIZATION, block.id)
  expect(stored).toMatchObject(Object.fromEntries(fields.map((field) => [field, field])))
  expect(stored?.version).toBe(6)
  expect(await db.query(listVersions, [ORGANIZATION, block.id])).toHaveLength(6)
})

test('a change that changes nothing makes no version', async () => {
  const block = await createBlock(db, ORGANIZATION, { label: 'same', value: 'v', tags: ['b', 'Ä', 'a'] }, author)
  await modifyBlock(db, ORGANIZATION, block.id, { value: 'v', tags: ['Ä', 'b', 'a'], label: null }, author)
  expect((await findBlock(db, ORGANIZATION, block.id))?.version).toBe(1)
})

test('a block of another organisation is not found and not changed', async () => {
  const block = await createBlock(db, ORGANIZATION, { label: 'mine', value: 'v' }, author)
  expect(await findBlock(db, 'org-other', block.id)).toBeUndefined()
  await expect(modifyBlock(db, 'org-other', block.id, { value: 'x' }, author)).rejects.toMatchObject({
    kind: 'not_found',
  })
})
