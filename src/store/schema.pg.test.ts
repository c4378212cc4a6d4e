import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestDatabase } from '../../test/support/test-database.ts'
import { type Db, statement } from './db.ts'
import { ensurePartitions } from './partitions.ts'

let db: Db
const seen: string[] = []
beforeAll(async () => {
  db = await openTestDatabase({ onStatement: (name) => seen.push(name) })
})
afterAll(() => db[Symbol.asyncDispose]())

test('every primary and unique key of a tenant table starts with organization_id', async () => {
  // partitions have their own keys and are listed too
  const readKeys = statement(
    'test-read-keys',
    `select t.relname as table_name, k.relname as key_name, a.attname as first_column
     from pg_index i
     join pg_class k on k.oid = i.indexrelid
     join pg_class t on t.oid = i.indrelid
     join pg_attribute a on a.attrelid = t.oid and a.attnum = i.indkey[0]
     where i.indisunique
       and t.relnamespace = 'public'::regnamespace
       and exists (select from pg_attribute o where o.attrelid = t.oid and o.attname = 'organization_id')
     order by 1, 2`,
  )
  const keys = await db.query<{ table_name: string; key_name: string; first_column: string }>(readKeys)
  expect(keys.length).toBeGreaterThan(30)
  expect(keys.some((key) => /^messages_\d{4}_\d{2}$/.test(key.table_name))).toBe(true)
  expect(keys.filter((key) => key.first_column !== 'organization_id')).toEqual([])
})

test('every table is a tenant table, but for the few that are not', async () => {
  const readOthers = statement(
    'test-read-tables-of-all',
    `select t.relname as table_name from pg_class t
     where t.relkind in ('r', 'p') and t.relnamespace = 'public'::regnamespace
       and not exists (select from pg_attribute o where o.attrelid = t.oid and o.attname = 'organization_id')
     order by 1`,
  )
  const names = (await db.query<{ table_name: string }>(readOthers)).map((row) => row.table_name)
  expect(names).toEqual(['embedding_models', 'organizations', 'schema_migrations'])
})

test('partitions: this month and two ahead, one statement when they exist, safe at once', async () => {
  const readPartitions = statement(
    'test-read-partitions',
    `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent = 'messages'::regclass and c.relname like 'messages_2031%' order by 1`,
  )
  const now = new Date('2031-11-30T23:59:59Z')
  await Promise.all([ensurePartitions(db, now), ensurePartitions(db, now), ensurePartitions(db, now)])
  expect(await db.query(readPartitions)).toEqual([{ name: 'messages_2031_11' }, { name: 'messages_2031_12' }])
  seen.length = 0
  await ensurePartitions(db, now)
  expect(seen).toEqual(['find-missing-partitions'])
})

test('a row lands in the partition of its month, by UTC', async () => {
  const insert = statement(
    'test-insert-message',
    `insert into messages (organization_id, id, agent_id, conversation_id, role, created_at)
     values ('org-1', $1, 'agent-1', 'conv-1', 'user', $2) returning tableoid::regclass::text as partition`,
  )
  await ensurePartitions(db, new Date('2031-11-15T00:00:00Z'))
  expect(await db.query(insert, ['message-1', new Date('2031-12-31T23:59:59.999Z')])).toEqual([
    { partition: 'messages_2031_12' },
  ])
  expect(await db.query(insert, ['message-2', new Date('2020-01-01T00:00:00Z')])).toEqual([
    { partition: 'messages_default' },
  ])
})
