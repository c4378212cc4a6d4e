import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createPostgresDatabase, testEngine } from '../../support/test-database.ts'

/** Settings of a server with an empty database: PostgreSQL where `TEST_DATABASE_URL` is set, embedded otherwise. */
export async function acceptanceServerEnv(): Promise<{ env: Record<string, string>; remove: () => Promise<void> }> {
  const common = {
    LOG_LEVEL: 'warn',
    PERDURE_ENCRYPTION_KEY: 'a key for the acceptance tests',
    // the MCP servers of the tests
    PERDURE_MCP_ALLOWED_HOSTS: '127.0.0.1',
  }
  if (testEngine() === 'postgres') {
    const { url, remove } = await createPostgresDatabase()
    return { env: { ...common, PERDURE_DATABASE_URL: url }, remove }
  }
  const folder = await mkdtemp(join(tmpdir(), 'perdure-acceptance-'))
  return {
    env: { ...common, PERDURE_DATA_DIR: folder },
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}
