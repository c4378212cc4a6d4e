import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createPostgresDatabase } from '../test/support/test-database.ts'
import type { Bench } from './replicas/bench.ts'
import { measurePool } from './replicas/pool.ts'
import { startTimedProvider } from './replicas/provider.ts'
import { measureReader } from './replicas/reader.ts'
import { concludeReport } from './replicas/report.ts'
import { measureRolling } from './replicas/rolling.ts'
import { measureSteps } from './replicas/steps.ts'
import { measureStreams } from './replicas/streams.ts'
import { measureTakeOver } from './replicas/takeover.ts'
import { measureTwo } from './replicas/two.ts'

/**
 * The numbers of many replicas, against their bars: `npm run bench:replicas`, or one of them: `npm run bench:replicas rolling`.
 * The model is an HTTP provider in another process, paced by what the user's message says; the clients are in others again.
 * Figures of one run on one machine: read the ratios and the floors, the absolute ones depend on what else the machine does.
 */
const PARTS: Record<string, (bench: Bench) => Promise<void>> = {
  rolling: measureRolling,
  takeover: measureTakeOver,
  reader: measureReader,
  streams: measureStreams,
  pool: measurePool,
  steps: measureSteps,
  two: measureTwo,
}

const only = process.argv[2]
if ((process.env.TEST_DATABASE_URL ?? '') === '') {
  console.error('bench: set TEST_DATABASE_URL to a PostgreSQL with pgvector; here: eval "$(../shared/services/up)"')
  process.exit(2)
}
if (only !== undefined && PARTS[only] === undefined) {
  console.error(`bench: there is no part ${only}; there are ${Object.keys(PARTS).join(', ')}`)
  process.exit(2)
}
const folder = await mkdtemp(join(tmpdir(), 'perdure-bench-'))
const provider = await startTimedProvider()
try {
  for (const [name, measure] of Object.entries(PARTS)) {
    if (only !== undefined && only !== name) continue
    console.log(`${name}…`)
    const { url: database, remove } = await createPostgresDatabase()
    const env = {
      OPENAI_API_KEY: 'sk-bench',
      OPENAI_BASE_URL: provider.url,
      PERDURE_DATABASE_URL: database,
      // three replicas and whatever else there is must fit into PostgreSQL's 100 connections
      PERDURE_DATABASE_POOL_SIZE: '10',
    }
    try {
      await measure({ provider, folder, env, database })
    } finally {
      await remove()
    }
  }
} finally {
  await provider.stop()
  await rm(folder, { recursive: true, force: true })
}
process.exitCode = concludeReport()
