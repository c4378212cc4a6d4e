import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ProviderProcess, startProviderProcess } from './provider-process.ts'
import { freePort, type ServerProcess, startServerProcess } from './server-process.ts'
import { createPostgresDatabase, testEngine } from './test-database.ts'

/** What outlives a server that is killed again and again: its provider, its database and its port. */
export interface KillableServer {
  provider: ProviderProcess
  /** Starts the server, the first time or again. */
  start(): Promise<ServerProcess>
  remove(): Promise<void>
}

/**
 * On the engine of the tests, with a lease short enough that nobody waits long for a take-over.
 * @param mode what the provider answers, see `fake-provider-process.ts`
 * @param delayMs longest pause before each of its replies
 */
export async function prepareKillableServer(
  mode: string,
  delayMs: number,
  more: Record<string, string> = {},
): Promise<KillableServer> {
  const provider = await startProviderProcess(mode, delayMs)
  const port = await freePort()
  const database = await createDatabase()
  const environment = {
    OPENAI_API_KEY: 'sk-test',
    OPENAI_BASE_URL: provider.url,
    PERDURE_RUN_LEASE: '1s',
    ...database.environment,
    ...more,
  }
  return {
    provider,
    start: () => startServerProcess(port, environment),
    async remove() {
      await provider.stop()
      await database.remove()
    },
  }
}

async function createDatabase(): Promise<{ environment: Record<string, string>; remove: () => Promise<unknown> }> {
  if (testEngine() === 'postgres') {
    const { url, remove } = await createPostgresDatabase()
    return { environment: { PERDURE_DATABASE_URL: url }, remove }
  }
  const dataDir = await mkdtemp(join(tmpdir(), 'perdure-chaos-'))
  return {
    environment: { PERDURE_DATA_DIR: dataDir },
    remove: () => rm(dataDir, { recursive: true, force: true }),
  }
}
