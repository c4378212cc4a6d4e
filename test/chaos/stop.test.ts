import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Letta } from '@letta-ai/letta-client'
import { expect, it } from 'vitest'
import { startProviderProcess } from '../support/provider-process.ts'
import { freePort, startServerProcess } from '../support/server-process.ts'

it('SIGTERM in the middle of a turn ends the process within its grace period, and the next one finishes the turn', async () => {
  const hanging = await startProviderProcess('parallel-tools', 600_000)
  const quick = await startProviderProcess('parallel-tools')
  const dataDir = await mkdtemp(join(tmpdir(), 'perdure-stop-'))
  const env = { OPENAI_API_KEY: 'sk-test', PERDURE_DATA_DIR: dataDir, PERDURE_SHUTDOWN_GRACE: '6s' }
  const port = await freePort()
  const first = await startServerProcess(port, { ...env, OPENAI_BASE_URL: hanging.url })
  const client = new Letta({ baseURL: first.url, apiKey: 'none', maxRetries: 0 })
  const agent = await client.agents.create({
    model: 'openai/gpt-4o-mini',
    memory_blocks: [{ label: 'human', value: '' }],
  })
  const stream = await client.agents.messages.stream(agent.id, { input: 'hello' })
  const types: string[] = []
  const reading = (async () => {
    for await (const chunk of stream) types.push(chunk.message_type ?? '')
  })().catch(() => {})
  await expect.poll(() => types).toContain('ping')
  const asked = performance.now()
  expect(await first.stop()).toBe(0)
  expect(performance.now() - asked).toBeLessThan(6000 + 2000)
  await reading
  expect(types, 'the turn was under way').toEqual(['ping'])

  const second = await startServerProcess(port, { ...env, OPENAI_BASE_URL: quick.url })
  await expect
    .poll(async () => JSON.stringify((await client.agents.messages.list(agent.id, { limit: 1 })).items), {
      timeout: 10_000,
    })
    .toContain('answer:hello')
  await second.stop()
  await Promise.all([hanging.stop(), quick.stop()])
  await rm(dataDir, { recursive: true, force: true })
}, 90_000)
