import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ModelEvent, ModelRequest } from '#llm/model.ts'
import { createModelRegistry } from '#llm/registry.ts'
import { DEFAULT_ORGANIZATION_ID } from '#platform/ids.ts'
import { createLogger } from '#platform/logger.ts'
import { ensureBuiltinTools } from '#tools/ensure-builtin-tools.ts'
import { BUILTIN_TOOLS, findBuiltinTool } from '#tools/registry.ts'
import { type BuiltinTool, success } from '#tools/tool.ts'
import { lastUserText, type Script, scriptedModel } from '../support/scripted-model.ts'
import { createTestAgent, readBlock, storedMessages } from '../support/test-agent.ts'
import { testEngine } from '../support/test-database.ts'
import { testModelRegistry } from '../support/test-models.ts'
import { startTestServer } from '../support/test-server.ts'
import { openEngines, startRun } from '../support/two-engines.ts'

/** The bar is a second; the rest is for slow machines. Without the look for cancellations it would take a heartbeat of 5 s. */
const BAR_MS = 2000
const LEASE_MS = 20_000

const textsOf = (request: ModelRequest | undefined) =>
  request?.messages.slice(1).map((message) => `${message.role}: ${JSON.stringify(message)}`) ?? []

describe.skipIf(testEngine() === 'pglite')('a cancellation on another replica, without notifications', () => {
  let engines: Awaited<ReturnType<typeof openEngines>>
  beforeEach(async () => {
    engines = await openEngines()
  })
  afterEach(async () => expect(await engines.close()).toEqual([]))

  /** Cancels through B what A works on. @returns how long it took until the end was told */
  async function cancelAndTime(
    b: Awaited<ReturnType<typeof engines.start>>,
    run: Awaited<ReturnType<typeof startRun>>,
  ) {
    const asked = performance.now()
    expect(await b.cancel(DEFAULT_ORGANIZATION_ID, run.runId)).toBe(true)
    expect((await run.end).stopReason).toBe('cancelled')
    return performance.now() - asked
  }

  it('stops a model call; the thread says so to the model, not to clients, and nothing of the turn comes later', async () => {
    const requests: ModelRequest[] = []
    const script = scriptedModel(() => ({ text: 'Fresh answer.' }))
    const models = testModelRegistry(async function* (request): AsyncGenerator<ModelEvent> {
      requests.push(request)
      if (lastUserText(request) === 'slow') {
        yield { type: 'text-delta', text: 'Stale half' }
        await sleep(60_000, undefined, { signal: request.signal }).catch(() => {})
        // a provider that does not mind the abort
        yield { type: 'text-delta', text: ' Stale rest' }
        request.signal.throwIfAborted()
      }
      const model = await script.registry.getModel('openai/gpt-4o-mini', null)
      yield* model.stream(request)
    })
    const options = { models, isDeaf: true, leaseMs: LEASE_MS }
    const [a, b] = [await engines.start('a', options), await engines.start('b', options)]
    const agentId = await createTestAgent(engines.db, models)
    const run = await startRun(a, agentId, 'slow')
    await expect.poll(() => JSON.stringify(run.events)).toContain('Stale half')
    expect(await cancelAndTime(b, run)).toBeLessThan(BAR_MS)
    const next = await startRun(b, agentId, 'next')
    await next.end
    expect(JSON.stringify(next.events)).not.toContain('Stale')
    expect(JSON.stringify(next.events)).toContain('Fresh answer.')
    // told of the cancellation, in the place of the answer
    const [said, note, asked] = textsOf(requests.at(-1))
    expect([said, note, asked]).toEqual([
      expect.stringContaining('slow'),
      expect.stringMatching(/^assistant: .*cancelled this turn/),
      expect.stringContaining('next'),
    ])
    expect((await storedMessages(engines.db, agentId)).map((message) => message.role)).toEqual([
      'system',
      'user',
      'user',
      'assistant',
    ])
    // the beginning of a prompt stays the same to the byte
    await (await startRun(b, agentId, 'again')).end
    expect(textsOf(requests.at(-1)).slice(0, 3)).toEqual([said, note, asked])
  })

  it('leaves a tool that does not mind it, and drops what it gives late', async () => {
    const finish = Promise.withResolvers<void>()
    const tool: BuiltinTool = {
      name: 'slow_tool',
      description: 'Takes long.',
      toolType: 'letta_core',
      parameters: { type: 'object', properties: {} },
      durability: 'transactional',
      async execute(_args, { blocks }) {
        await finish.promise
        const block = blocks.find(({ label }) => label === 'human')
        if (block === undefined) throw new Error('no block')
        const { id: blockId, version: expectedVersion, label, description } = block
        return success('Stale.', [
          { type: 'update-block', blockId, expectedVersion, label, value: 'stale', description },
        ])
      },
    }
    const script: Script = (request) =>
      lastUserText(request) === 'work'
        ? {
            toolCalls: [
              { name: tool.name, arguments: {} },
              { name: tool.name, arguments: {} },
            ],
          }
        : { text: 'Hi.' }
    const { registry: models, requests } = scriptedModel(script)
    const findTool = (name: string) => (name === tool.name ? tool : findBuiltinTool(name))
    const options = { models, findTool, isDeaf: true, leaseMs: LEASE_MS }
    const [a, b] = [await engines.start('a', options), await engines.start('b', options)]
    await ensureBuiltinTools(engines.db, DEFAULT_ORGANIZATION_ID, [...BUILTIN_TOOLS, tool])
    const agentId = await createTestAgent(engines.db, models, { tools: [tool.name] })
    const run = await startRun(a, agentId, 'work')
    await expect.poll(() => run.events.some((event) => event.type === 'tool-start')).toBe(true)
    expect(await cancelAndTime(b, run)).toBeLessThan(BAR_MS)
    finish.resolve()
    await a.idle()
    const next = await startRun(a, agentId, 'next')
    expect((await next.end).stopReason).toBe('end_turn')
    expect(JSON.stringify(next.events)).not.toContain('Stale')
    expect(await readBlock(engines.db, agentId, 'human')).toEqual({ value: '', version: 1 })
    const results = requests.at(-1)?.messages.flatMap((message) => (message.role === 'tool' ? message.results : []))
    expect(results?.map((result) => result.text)).toEqual([
      expect.stringContaining('cancelled the request while this tool ran'),
      expect.stringContaining('so this tool was not run'),
    ])
    expect(requests.at(-1)?.messages.map((message) => message.role)).toEqual([
      'system',
      'user',
      'assistant',
      'tool',
      'assistant',
      'user',
    ])
  })

  it('ends a queued run at once; its message never reaches the model', async () => {
    const { registry: models, requests } = scriptedModel((request) => ({
      text: 'Hi.',
      ...(lastUserText(request) === 'slow' ? { delayMs: 60_000 } : {}),
    }))
    const options = { models, isDeaf: true, leaseMs: LEASE_MS }
    const [a, b] = [await engines.start('a', options), await engines.start('b', options)]
    const agentId = await createTestAgent(engines.db, models)
    const slow = await startRun(a, agentId, 'slow')
    const queued = await startRun(a, agentId, 'unwanted')
    expect(queued.isActive).toBe(false)
    expect(await cancelAndTime(b, queued)).toBeLessThan(BAR_MS)
    await cancelAndTime(b, slow)
    await (await startRun(b, agentId, 'next')).end
    expect(JSON.stringify(requests)).not.toContain('unwanted')
  })

  it('over HTTP: the provider sees its connection closed, and the stream ends without an error', async () => {
    const closed = Promise.withResolvers<number>()
    const asked = Promise.withResolvers<void>()
    const provider = createServer((request, response) => {
      request.resume()
      if (request.method === 'GET') {
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify({ object: 'list', data: [{ id: 'm', object: 'model' }] }))
        return
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const delta = {
        id: 'c',
        object: 'chat.completion.chunk',
        created: 1,
        model: 'm',
        choices: [{ index: 0, delta: { role: 'assistant', content: 'Half' }, finish_reason: null }],
      }
      response.write(`data: ${JSON.stringify(delta)}\n\n`)
      response.on('close', () => closed.resolve(performance.now()))
      asked.resolve()
    })
    await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve))
    const { port } = provider.address() as AddressInfo
    const logger = createLogger({ level: 'silent', format: 'json' })
    const real = createModelRegistry({
      providers: [],
      openaiCompatible: [{ name: 'local', baseUrl: `http://127.0.0.1:${port}/v1`, apiKey: 'k' }],
      firstByteTimeoutMs: 30_000,
      idleTimeoutMs: 30_000,
      logger,
    })
    const known = testModelRegistry()
    const models = {
      ...known,
      getModel: async () => ({
        ...(await real.getModel('local/m', null)),
        info: (await known.getModel('openai/gpt-4o-mini', null)).info,
      }),
    }
    const [one, two] = [
      await startTestServer({ db: engines.db, models }),
      await startTestServer({ db: engines.db, models }),
    ]
    try {
      const { body: agent } = await one.request<{ id: string }>('POST', '/v1/agents/', { model: 'openai/gpt-4o-mini' })
      const stream = fetch(`${await one.baseUrl()}/v1/agents/${agent.id}/messages/stream`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ input: 'go', stream_tokens: true }),
      }).then((response) => response.text())
      await asked.promise
      const cancelledAt = performance.now()
      const { body } = await two.request('POST', `/v1/agents/${agent.id}/messages/cancel`, {})
      expect(Object.values(body)).toEqual(['cancelled'])
      expect((await closed.promise) - cancelledAt).toBeLessThan(BAR_MS)
      const text = await stream
      expect(text).toContain('"stop_reason":"cancelled"')
      expect(text).not.toContain('error_message')
      expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true)
    } finally {
      await one.close()
      await two.close()
      provider.closeAllConnections()
      provider.close()
    }
  })
})
