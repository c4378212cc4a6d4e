import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createPostgresDatabase } from '../test/support/test-database.ts'
import type { Bench } from './replicas/bench.ts'
import { startTimedProvider } from './replicas/provider.ts'
import { concludeReport } from './replicas/report.ts'
import { measureSteps } from './replicas/steps.ts'
import { measureStreams } from './replicas/streams.ts'

/**
 * The numbers of many replicas, against their bars: `npm run bench:replicas`, or one of them: `npm run bench:replicas rolling`.
 * The model is an HTTP provider in another process, paced by what the user's message says; the clients are in others again.
 * Figures of one run on one machine: read the ratios and the floors, the absolute ones depend on what else the machine does.
 */
const PARTS: Record<string, (bench: Bench) => Promise<void>> = {
  streams: measureStreams,
  steps: measureSteps,
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
    const env = { OPENAI_API_KEY: 'sk-bench', OPENAI_BASE_URL: provider.url, PERDURE_DATABASE_URL: database }
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
