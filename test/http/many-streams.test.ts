import { createConnection, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { ModelEvent } from '#llm/model.ts'
import { testModelRegistry } from '../support/test-models.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

const STREAMS = 2000
const WORDS = 20
/** Of this process, which holds both ends of each stream. */
const MAX_GROWTH_MIB = 400

const go = Promise.withResolvers<void>()
async function* stream(): AsyncGenerator<ModelEvent> {
  await go.promise
  let text = ''
  for (let index = 0; index < WORDS; index += 1) {
    text += `${index} `
    yield { type: 'text-delta', text: `${index} ` }
    await new Promise(setImmediate)
  }
  const usage = {
    inputTokens: 1,
    outputTokens: 1,
    cachedInputTokens: null,
    cacheWriteTokens: null,
    reasoningTokens: null,
  }
  yield {
    type: 'reply',
    reply: { content: [{ type: 'text', text }], toolCalls: [], finishReason: 'stop', usage },
    timing: { firstTokenMs: 1, totalMs: 1, attempts: 1 },
  }
}

let server: TestServer
const sockets: Socket[] = []
beforeAll(async () => {
  server = await startTestServer({ models: testModelRegistry(stream) })
})
afterAll(async () => {
  go.resolve()
  for (const socket of sockets) socket.destroy()
  await server.close()
})

/** Opens a stream: its status line once its head has come, and its text once it has ended. */
function open(port: number, path: string, body: object): { head: Promise<string>; end: Promise<string> } {
  const socket = createConnection(port, '127.0.0.1')
  sockets.push(socket)
  const payload = JSON.stringify(body)
  socket.write(
    `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${payload.length}\r\n\r\n${payload}`,
  )
  const head = Promise.withResolvers<string>()
  const end = Promise.withResolvers<string>()
  let text = ''
  socket.once('error', head.reject)
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
    head.resolve(text.split('\r\n')[0] ?? '')
    if (text.includes('[DONE]')) end.resolve(text)
  })
  return { head: head.promise, end: end.promise }
}

it(`${STREAMS} readers of one run on one server all hear all of it, in bounded memory`, async () => {
  const port = Number(new URL(await server.baseUrl()).port)
  const agent = await server.request<{ id: string }>('POST', '/v1/agents/', { model: 'openai/gpt-4o-mini' })
  const before = process.memoryUsage().rss
  const first = open(port, `/v1/agents/${agent.body.id}/messages/stream`, {
    input: 'hi',
    stream_tokens: true,
    background: true,
  })
  const heads = [await first.head]
  const ends = [first.end]
  const [run] = (await server.request<{ id: string }[]>('GET', '/v1/runs/?limit=1')).body
  while (ends.length < STREAMS) {
    const some = Array.from({ length: Math.min(100, STREAMS - ends.length) }, () =>
      open(port, `/v1/runs/${run?.id}/stream`, {}),
    )
    heads.push(...(await Promise.all(some.map((each) => each.head))))
    ends.push(...some.map((each) => each.end))
  }
  expect(heads).toEqual(Array(STREAMS).fill('HTTP/1.1 200 OK'))
  expect(server.context.runs.streams.followerCount).toBe(STREAMS)
  go.resolve()
  const expected = Array.from({ length: WORDS }, (_, index) => `${index} `).join('')
  for (const text of await Promise.all(ends)) {
    expect([...text.matchAll(/"content":"([^"]*)"/g)].map(([, word]) => word).join('')).toBe(expected)
  }
  const growthMib = Math.round((process.memoryUsage().rss - before) / 1024 / 1024)
  console.log(`${STREAMS} open streams: ${growthMib} MiB for both ends`)
  expect(growthMib).toBeLessThan(MAX_GROWTH_MIB)
}, 120_000)
