import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestDatabase, testEngine } from '../../test/support/test-database.ts'
import { isForeignKeyViolation, isUniqueViolation, sqlState } from './database-error.ts'
import { type Db, statement } from './db.ts'

let db: Db
const seen: string[] = []
beforeAll(async () => {
  db = await openTestDatabase({ onStatement: (name) => seen.push(name) })
  await db.execute('create table notes (id int primary key, body text not null, rank int check (rank > 0))')
})
afterAll(() => db[Symbol.asyncDispose]())

const insertNote = statement('test-insert-note', 'insert into notes (id, body) values ($1, $2)')
const countNotes = statement('test-count-notes', 'select count(*) as count from notes')
const countOf = async () => (await db.query<{ count: number }>(countNotes))[0]?.count

describe('values', () => {
  const roundTrip = statement(
    'test-round-trip',
    `select $1::text as text, $2::int8 as big, $3::float8 as float, $4::bool as bool, $5::timestamptz as at,
            $6::text[] as texts, $7::jsonb as json, $8::bytea as bytes, $9::text as missing, $10::int4[] as ints,
            $11::numeric as amount, $5::timestamptz[] as no_times`.replace('$5::timestamptz[]', 'null::timestamptz[]'),
  )

  test('come back as the types that Db promises', async () => {
    const at = new Date('2026-11-23T21:00:00.123Z')
    const texts = ['plain', 'with "quotes"', 'back\\slash', 'comma, brace }', '', 'NULL', 'ünïcode 🎈']
    const json = { deep: [1, null, { text: 'ä' }], empty: {} }
    for (let round = 1; round <= 2; round += 1) {
      const rows = await db.query(roundTrip, [
        'naïve 🎈\n"',
        9_007_199_254_740_991,
        0.1,
        true,
        at,
        texts,
        JSON.stringify(json),
        new Uint8Array([0, 1, 255]),
        undefined,
        [1, null, 3],
        12.5,
      ])
      expect(rows).toEqual([
        {
          text: 'naïve 🎈\n"',
          big: 9_007_199_254_740_991,
          float: 0.1,
          bool: true,
          at,
          texts,
          json,
          bytes: Buffer.from([0, 1, 255]),
          missing: null,
          ints: [1, null, 3],
          amount: 12.5,
          no_times: null,
        },
      ])
    }
  })

  test('a lone surrogate becomes U+FFFD, a NUL byte is refused with its SQLSTATE', async () => {
    const echo = statement('test-echo', 'select $1::text as text')
    expect(await db.query(echo, ['a\ud800b'])).toEqual([{ text: 'a\ufffdb' }])
    const error = await db.query(echo, ['a\0b']).catch((caught: unknown) => caught)
    expect(sqlState(error)).toBe('22021')
    expect(await db.query(echo, ['still here'])).toEqual([{ text: 'still here' }])
  })

  test('a megabyte of text goes through', async () => {
    const text = 'äbc '.repeat(300_000)
    expect(await db.query(statement('test-length', 'select length($1) as length, $1 as text'), [text])).toEqual([
      { length: text.length, text },
    ])
  })

  test('an object is refused: JSON goes in as text', async () => {
    await expect(db.query(statement('test-object', 'select $1::jsonb'), [{}])).rejects.toThrow(/JSON.stringify/)
  })
})

describe('errors', () => {
  test('have SQLSTATE, constraint and detail', async () => {
    await db.query(insertNote, [1, 'one'])
    const error = await db.query(insertNote, [1, 'again']).catch((caught: unknown) => caught)
    expect(isUniqueViolation(error)).toBe(true)
    expect(error).toMatchObject({ constraint: 'notes_pkey', detail: 'Key (id)=(1) already exists.' })
    const orphan = statement(
      'test-orphan',
      "insert into users (organization_id, id, name) values ('org-x', 'user-x', 'x')",
    )
    expect(isForeignKeyViolation(await db.query(orphan).catch((caught: unknown) => caught))).toBe(true)
  })

  test('a statement that cannot be parsed does not disturb the next ones', async () => {
    const wrong = statement('test-wrong', 'selectt 1')
    for (let round = 1; round <= 2; round += 1) {
      expect(sqlState(await db.query(wrong).catch((caught: unknown) => caught))).toBe('42601')
    }
    expect(await db.query(statement('test-one', 'select 1 as one'))).toEqual([{ one: 1 }])
  })
})

describe('transaction', () => {
  test('commits what it did and returns its result', async () => {
    seen.length = 0
    const result = await db.transaction(async (tx) => {
      await tx.query(insertNote, [10, 'ten'])
      return tx.query<{ count: number }>(statement('test-ten', 'select count(*) as count from notes where id = 10'))
    })
    expect(result).toEqual([{ count: 1 }])
    expect(seen).toHaveLength(4)
    expect(new Set(seen)).toEqual(new Set(['begin', 'test-insert-note', 'test-ten', 'commit']))
  })

  test('is undone when its work throws', async () => {
    const before = await countOf()
    const failed = db.transaction(async (tx) => {
      await tx.query(insertNote, [20, 'twenty'])
      throw new Error('no')
    })
    await expect(failed).rejects.toThrow('no')
    expect(await countOf()).toBe(before)
  })

  test('throws when a failed statement was swallowed, since nothing was committed', async () => {
    const failed = db.transaction(async (tx) => {
      await tx.query(insertNote, [30, 'thirty'])
      await tx.query(insertNote, [30, 'again']).catch(() => {})
    })
    await expect(failed).rejects.toThrow(/rolled back/)
    expect(await db.query(statement('test-thirty', 'select from notes where id = 30'))).toEqual([])
  })

  test('many at once lose no update', async () => {
    await db.query(insertNote, [40, '0'])
    const read = statement('test-lock-note', 'select body from notes where id = 40 for update')
    const write = statement('test-write-note', 'update notes set body = $1 where id = 40')
    const add = () =>
      db.transaction(async (tx) => {
        const [row] = await tx.query<{ body: string }>(read)
        await tx.query(write, [Number(row?.body) + 1])
      })
    await Promise.all(Array.from({ length: 40 }, add))
    expect(await db.query(read)).toEqual([{ body: '40' }])
  })

  test('a statement outside does not see what is not committed, nor become part of it', async () => {
    const inside = Promise.withResolvers<void>()
    const failed = db.transaction(async (tx) => {
      await tx.query(insertNote, [50, 'fifty'])
      inside.resolve()
      await new Promise((resolve) => setTimeout(resolve, 50))
      throw new Error('undo')
    })
    const undone = expect(failed).rejects.toThrow('undo')
    await inside.promise
    await db.query(insertNote, [51, 'outside'])
    await undone
    expect(await db.query(statement('test-fifties', 'select id from notes where id in (50, 51)'))).toEqual([{ id: 51 }])
  })

  test('refuses statements after its end', async () => {
    const tx = await db.transaction(async (inner) => inner)
    await expect(async () => tx.query(countNotes)).rejects.toThrow(/after the end/)
  })
})

test('execute is one transaction', async () => {
  await expect(db.execute('insert into notes values (60, $$sixty$$, 1); select 1 / 0')).rejects.toMatchObject({
    code: '22012',
  })
  expect(await db.query(statement('test-sixty', 'select from notes where id = 60'))).toEqual([])
})

test('a statement goes on after a script changed the columns of its table', async () => {
  const readAll = statement('test-read-all', 'select * from notes where id = 1')
  await db.query(readAll)
  await db.execute('alter table notes add column extra int default 7')
  // on PostgreSQL one call can meet the old plan of its connection, which is then dropped
  const rows = await db.query(readAll).catch(() => db.query(readAll))
  expect(rows).toMatchObject([{ id: 1, extra: 7 }])
})

test.runIf(testEngine() === 'pglite')(
  'statements sent before and right behind a script are prepared anew',
  async () => {
    const read = statement('test-behind-script', 'select count(*) as count from notes where id = 1')
    const results = await Promise.all([
      db.query(read),
      db.execute('create table behind (id int)'),
      db.query(read),
      db.execute('drop table behind'),
      db.query(read),
    ])
    expect(results[4]).toEqual([{ count: 1 }])
    expect(await db.query(read)).toEqual([{ count: 1 }])
  },
)

test('LISTEN hears what was committed, and nothing after unlisten', async () => {
  const heard: string[] = []
  const unlisten = await db.listen('Test channel', (payload) => heard.push(payload))
  const notify = statement('test-notify', "select pg_notify('Test channel', $1)")
  await db.query(notify, ['one'])
  await db.transaction(async (tx) => {
    await tx.query(notify, ['two'])
  })
  await db
    .transaction((tx) => tx.query(notify, ['never']).then(() => Promise.reject(new Error('undo'))))
    .catch(() => {})
  await expect.poll(() => heard).toEqual(['one', 'two'])
  await unlisten()
  await db.query(notify, ['three'])
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(heard).toEqual(['one', 'two'])
})

test('a runaway statement is ended, the next one runs', async () => {
  await using limited = await openTestDatabase({ statementLimitMs: 300 })
  const started = performance.now()
  const slow = limited.query(statement('test-sleep', 'select pg_sleep(20)'))
  await expect(slow).rejects.toThrow(testEngine() === 'pglite' ? /more than 0.3 s/ : /timeout/)
  expect(performance.now() - started).toBeLessThan(3000)
  expect(await limited.query(statement('test-one', 'select 1 as one'))).toEqual([{ one: 1 }])
})

test.runIf(testEngine() === 'pglite')(
  'the database inside a transaction is refused where it would wait for itself',
  async () => {
    await expect(db.transaction(() => db.query(countNotes))).rejects.toThrow(/use its `tx`/)
  },
)
