import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Db } from '#store/db.ts'
import { openDatabase } from '#store/open-database.ts'
import { ensurePartitions } from '#store/partitions.ts'
import { ensureTemplate } from '#store/pglite-template.ts'
import { openTestDatabase, templateRoot, testEngine } from '../test/support/test-database.ts'
import { measureEmbeddings } from './embeddings.ts'
import { measureHistory } from './memory/history.ts'
import { measureRecall } from './memory/recall.ts'
import { measureScale } from './memory/scale.ts'
import { measureTurnCost } from './memory/turn-cost.ts'
import { concludeReport, note } from './replicas/report.ts'

/**
 * What memory is worth and what it costs, against the bars: `npm run bench:memory`, or some of its parts: `node bench/memory.ts recall million`. Needs PostgreSQL in
 * TEST_DATABASE_URL for what is measured there; the million takes some minutes.
 */
const PARTS: Record<string, () => Promise<void>> = {
  recall: () => onTestDatabase(measureRecall),
  hundred: () =>
    onPostgres((db) =>
      measureScale(db, {
        name: '100 000 passages of one tenant',
        archives: 1,
        perArchive: 100_000,
        isSpread: false,
        barMs: 25,
        withFilters: false,
      }),
    ),
  million: () =>
    onPostgres((db) =>
      measureScale(db, {
        name: '1 000 000 passages of 1 000 tenants, filtered',
        archives: 1_000,
        perArchive: 1_000,
        isSpread: true,
        barMs: 60,
        withFilters: true,
      }),
    ),
  embedded: () =>
    onEmbedded((db) =>
      measureScale(db, {
        name: '10 000 passages on the embedded database',
        archives: 1,
        perArchive: 10_000,
        isSpread: false,
        barMs: 60,
        withFilters: false,
      }),
    ),
  history: () => onPostgres(measureHistory),
  embedder: measureEmbeddings,
  turn: () => onTestDatabase(measureTurnCost),
}

async function onTestDatabase(measure: (db: Db) => Promise<void>): Promise<void> {
  await using db = await openTestDatabase()
  await measure(db)
}

async function onPostgres(measure: (db: Db) => Promise<void>): Promise<void> {
  if (testEngine() === 'postgres') await onTestDatabase(measure)
  else note('left out: TEST_DATABASE_URL names no PostgreSQL')
}

async function onEmbedded(measure: (db: Db) => Promise<void>): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'perdure-bench-memory-'))
  try {
    await using db = await openDatabase({ kind: 'pglite', dataDir, templateDir: await ensureTemplate(templateRoot) })
    await ensurePartitions(db, new Date())
    await measure(db)
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}

const wanted = process.argv.slice(2)
for (const [name, measure] of Object.entries(PARTS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  note(`— ${name}`)
  await measure()
}
process.exitCode = concludeReport()
