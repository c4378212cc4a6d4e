import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { Letta } from '@letta-ai/letta-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { statement } from '#store/db.ts'
import { openDatabase } from '#store/open-database.ts'
import { type ProviderProcess, startProviderProcess } from '../support/provider-process.ts'
import { freePort, type ServerProcess, startServerProcess } from '../support/server-process.ts'
import { createPostgresDatabase, testEngine } from '../support/test-database.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** `perdure server --workers 2` as a process that is expected to end by itself. */
function startAndFail(env: Record<string, string>): Promise<{ code: number; stderr: string }> {
  return new Promise((resolve) => {
    const options = { env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...env }, timeout: 30_000 }
    execFile(process.execPath, [MAIN, 'server', '--workers', '2'], options, (error, _stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), stderr })
    })
  })
}

it('several workers on the embedded database are refused in one line', async () => {
  const { code, stderr } = await startAndFail({})
  expect(code).toBe(2)
  expect(stderr).toMatch(/^perdure: --workers asks for several processes, .* set PERDURE_DATABASE_URL[^\n]+\n$/)
})

/** The embedded database belongs to one process: nothing to test there. */
describe.skipIf(testEngine() === 'pglite')('perdure server --workers 2', () => {
  let database: Awaited<ReturnType<typeof createPostgresDatabase>>
  let provider: ProviderProcess
  let environment: Record<string, string>

  beforeAll(async () => {
    database = await createPostgresDatabase()
    // up to 4 s per reply: time enough to kill in the middle
    provider = await startProviderProcess('parallel-tools', 4000)
    environment = {
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: provider.url,
      PERDURE_DATABASE_URL: database.url,
      PERDURE_WORKERS: '2',
      PERDURE_RUN_LEASE: '1s',
      PERDURE_SHUTDOWN_DELAY: '500ms',
      PERDURE_SHUTDOWN_GRACE: '8s',
    }
  })
  afterAll(async () => {
    await provider.stop()
    await database.remove()
  })

  const start = async (): Promise<ServerProcess> => {
    const server = await startServerProcess(await freePort(), environment)
    await expect.poll(() => listening(server), { timeout: 20_000 }).toHaveLength(2)
    return server
  }
  /** Workers that have begun to listen, in the words of the first process. */
  const listening = (server: ServerProcess) =>
    server.log.filter((line) => line.message === 'a worker listens') as { worker: number; pid: number }[]
  /** The status of an answer that came over a connection of its own: those that are kept open lead to the worker that accepted them. */
  const askOnce = async (server: ServerProcess): Promise<number | undefined> => {
    const [response] = (await once(get(`${server.url}/v1/agents/`, { agent: false }), 'response')) as [IncomingMessage]
    await once(response.resume(), 'end')
    return response.statusCode
  }
  const ask = (server: ServerProcess, count: number) =>
    Promise.all(Array.from({ length: count }, () => askOnce(server)))
  const workersThatServed = (server: ServerProcess) =>
    new Set(server.log.filter((line) => line.operation === 'list_agents').map((line) => line.worker))
  const isAlive = (pid: number) => {
    try {
      return process.kill(pid, 0)
    } catch {
      return false
    }
  }

  it('serves with both, survives kill -9 of one in the middle of its run, and ends them all at SIGTERM', async () => {
    const server = await start()
    for (const status of await ask(server, 8)) expect(status).toBe(200)
    await expect.poll(() => workersThatServed(server)).toEqual(new Set([1, 2]))

    const client = new Letta({ baseURL: server.url, apiKey: 'none', maxRetries: 4 })
    const agent = await client.agents.create({
      model: 'openai/gpt-4o-mini',
      memory_blocks: [{ label: 'human', value: '' }],
      tools: ['memory_insert', 'conversation_search'],
      include_base_tools: false,
    })
    const { id } = await client.agents.messages.createAsync(agent.id, {
      messages: [{ role: 'user', content: 'hello' }],
    })
    const owner = await ownerOf(id)
    const [victim] = listening(server).filter(({ pid }) => owner.includes(`-${pid}-`))
    expect(victim, `a worker owns the run, not ${owner}`).toBeDefined()
    process.kill(victim?.pid ?? 0, 'SIGKILL')

    await expect.poll(async () => (await client.runs.retrieve(id)).status, { timeout: 30_000 }).toBe('completed')
    const takenOver = server.log.filter((line) => line.message === 'run taken over' && line.run_id === id)
    expect(takenOver.length, 'the kill met the run').toBeGreaterThan(0)
    expect(takenOver[0]?.worker).not.toBe(victim?.worker)
    const said = (await client.agents.messages.list(agent.id, { order: 'asc' })).items
    expect(said.filter((message) => JSON.stringify(message).includes('answer:hello'))).toHaveLength(1)

    await expect.poll(() => listening(server), { timeout: 40_000 }).toHaveLength(3)
    const replacement = listening(server)[2]
    await expect
      .poll(async () => (await ask(server, 4)) && workersThatServed(server).has(replacement?.worker), {
        timeout: 30_000,
      })
      .toBe(true)

    const asked = performance.now()
    expect(await server.stop()).toBe(0)
    expect(performance.now() - asked).toBeLessThan(8000 + 12_000)
    expect(listening(server).filter(({ pid }) => isAlive(pid))).toEqual([])
    await expect(fetch(`${server.url}/health`)).rejects.toThrow()
  }, 180_000)

  it('kill -9 of the first process ends the workers as SIGTERM does', async () => {
    const server = await start()
    const pids = listening(server).map(({ pid }) => pid)
    expect(pids.filter(isAlive)).toEqual(pids)
    await server.kill()
    await expect.poll(() => pids.filter(isAlive), { timeout: 8000 + 12_000 }).toEqual([])
    expect(
      server.log
        .filter((line) => line.message === 'stopped')
        .map((line) => line.worker)
        .sort(),
    ).toEqual([1, 2])
  }, 60_000)

  it('a port in use is told once, and the code is 2', async () => {
    const squatter = createServer().listen(0, '127.0.0.1')
    await once(squatter, 'listening')
    const { port } = squatter.address() as { port: number }
    const { code, stderr } = await startAndFail({ ...environment, PERDURE_PORT: String(port) })
    expect(code).toBe(2)
    expect(stderr.match(new RegExp(`Port ${port} on 127.0.0.1 is in use`, 'g'))).toHaveLength(1)
    expect(stderr).toContain('The first worker ended before it listened (exit code 2)')
    squatter.close()
  }, 60_000)

  async function ownerOf(runId: string): Promise<string> {
    await using db = await openDatabase({ kind: 'postgres', url: database.url, poolSize: 1 })
    const find = statement('test-run-owner', 'select r.lease_owner from runs as r where r.id = $1')
    const [row] = await db.query<{ lease_owner: string | null }>(find, [runId])
    return row?.lease_owner ?? 'nobody'
  }
})
