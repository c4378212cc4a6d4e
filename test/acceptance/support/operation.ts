import { Letta } from '@letta-ai/letta-client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { freePort, type ServerProcess, startServerProcess } from '../../support/server-process.ts'
import { recordOperations } from './sdk-operations.ts'
import { acceptanceServerEnv } from './server-env.ts'

export const MODEL = 'perdure/demo'

interface Target {
  url: string
  apiKey: string | null
}

/**
 * The server that the tests of this file talk to, by its URL and nothing else: the one that `ACCEPTANCE_URL` names (with
 * `ACCEPTANCE_API_KEY`), or one of our own in a process and with a database of its own.
 */
export function useServer(): { client: () => Letta; target: () => Target } {
  let target: Target | undefined
  let own: { server: ServerProcess; remove: () => Promise<void> } | undefined

  beforeAll(async () => {
    const url = process.env.ACCEPTANCE_URL
    if (url !== undefined && url !== '') {
      target = { url, apiKey: process.env.ACCEPTANCE_API_KEY ?? null }
      return
    }
    const { env, remove } = await acceptanceServerEnv()
    own = { server: await startServerProcess(await freePort(), env), remove }
    target = { url: own.server.url, apiKey: null }
  })
  afterAll(async () => {
    await own?.server.stop()
    await own?.remove()
  })

  const current = (): Target => {
    if (target === undefined) throw new Error('the server is there inside tests only')
    return target
  }
  return {
    target: current,
    client: () => new Letta({ baseURL: current().url, apiKey: current().apiKey, maxRetries: 0 }),
  }
}

/**
 * A test of one operation of the official client: `operation(server, 'agents.messages.create', 'answers', async (client) => …)`. It fails
 * where the operation was not called, so that the coverage table cannot claim what was not driven.
 */
export function operation(
  server: ReturnType<typeof useServer>,
  name: string,
  title: string,
  test: (client: Letta) => Promise<void>,
): void {
  it(`${name}: ${title}`, async () => {
    const called = new Set<string>()
    await test(recordOperations(server.client(), called))
    expect([...called], `the test of ${name} must call it`).toContain(name)
  })
}
