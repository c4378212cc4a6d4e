import { statement } from '#store/db.ts'
import { openDatabase } from '#store/open-database.ts'

// A process of its own on an embedded database: prints `open`, then one line per row that the database acknowledged.
const [dataDir = '', mode = 'hold'] = process.argv.slice(2)
try {
  const db = await openDatabase({ kind: 'pglite', dataDir })
  console.log('open')
  if (mode === 'insert') {
    await db.execute('create table if not exists acknowledged (id serial primary key, body text not null)')
    const insert = statement('insert-acknowledged', 'insert into acknowledged (body) values ($1) returning id')
    for (;;) {
      const rows = await db.query<{ id: number }>(insert, ['x'.repeat(200)])
      process.stdout.write(`${rows[0]?.id}\n`)
    }
  }
  setInterval(() => {}, 1000)
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}
