import { createConnection, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ModelEvent, ModelRequest } from '#llm/model.ts'
import { testModelRegistry } from '../support/test-models.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

const PIECES = 500
const PIECE_BYTES = 40_000
const PIECE = 'x'.repeat(PIECE_BYTES)

/** 20 MB in pieces; the answer itself is short, so that only the stream is long. `wait` is silence before anything comes. */
let waitMs = 0
async function* stream(_request: ModelRequest): AsyncGenerator<ModelEvent> {
  if (waitMs > 0) await sleep(waitMs)
  else {
    for (let index = 0; index < PIECES; index++) {
      yield { type: 'text-delta', text: PIECE }
      if (index % 10 === 0) await sleep(1)
    }
  }
  const usage = {
    inputTokens: 1,
    outputTokens: 1,
    cachedInputTokens: null,
    cacheWriteTokens: null,
    reasoningTokens: null,
  }
  const reply = {
    content: [{ type: 'text' as const, text: 'Done.' }],
    toolCalls: [],
    finishReason: 'stop' as const,
    usage,
  }
  yield { type: 'reply', reply, timing: { firstTokenMs: 1, totalMs: 1, attempts: 1 } }
}

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({
    models: testModelRegistry(stream),
    config: { keepaliveIntervalMs: 50, streamMaxBytes: 64 * 1024 * 1024 },
  })
})
afterAll(() => server.close())

async function openStream(body: object): Promise<{ socket: Socket; agentId: string }> {
  const agent = await server.request<{ id: string }>('POST', '/v1/agents/', { model: 'openai/gpt-4o-mini' })
  const { port } = new URL(await server.baseUrl())
  const socket = createConnection(Number(port), '127.0.0.1')
  const payload = JSON.stringify({ input: 'go', ...body })
  socket.write(
    `POST /v1/agents/${agent.body.id}/messages/stream HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${payload.length}\r\n\r\n${payload}`,
  )
  return { socket, agentId: agent.body.id }
}

const answersOf = async (agentId: string) =>
  (await server.request<{ message_type: string }[]>('GET', `/v1/agents/${agentId}/messages`)).body
    .map((message) => message.message_type)
    .filter((type) => type === 'assistant_message')

describe('a client that does not read its stream', () => {
  it('is waited for with little in memory, the run goes on, and it gets everything when it reads at last', async () => {
    waitMs = 0
    const held = new Set<Socket>()
    server.app.server.on('connection', (socket: Socket) => held.add(socket))
    const { socket, agentId } = await openStream({ stream_tokens: true })
    socket.pause()
    await expect.poll(() => answersOf(agentId), { timeout: 15_000 }).toEqual(['assistant_message'])
    const waiting = [...held].map((each) => each.writableLength)
    expect(Math.max(...waiting)).toBeGreaterThan(0)
    expect(Math.max(...waiting)).toBeLessThan(1024 * 1024)
    let bytes = 0
    let tail = ''
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      bytes += chunk.length
      tail = (tail + chunk.toString('latin1')).slice(-200)
      if (tail.includes('data: [DONE]')) break
    }
    expect(bytes).toBeGreaterThan(PIECES * PIECE_BYTES)
  })

  it('gets everything when it reads', async () => {
    waitMs = 0
    const { socket, agentId } = await openStream({ stream_tokens: true })
    let bytes = 0
    let tail = ''
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      bytes += chunk.length
      tail = (tail + chunk.toString('latin1')).slice(-200)
      if (tail.includes('data: [DONE]')) break
    }
    expect(bytes).toBeGreaterThan(PIECES * PIECE_BYTES)
    expect(await answersOf(agentId)).toEqual(['assistant_message'])
  })
})

describe('a silent model', () => {
  /** What comes while the model is silent, once it matches. */
  const readUntil = async (body: object, pattern: RegExp): Promise<string> => {
    waitMs = 10_000
    const { socket } = await openStream(body)
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString()
    })
    await expect.poll(() => text, { timeout: 9000, interval: 10 }).toMatch(pattern)
    socket.destroy()
    expect(text).not.toContain('[DONE]')
    return text
  }

  it('sends headers at once and signs of life meanwhile', async () => {
    expect(await readUntil({}, /("message_type":"ping"[\s\S]*){3}/)).toMatch(/^HTTP\/1\.1 200/)
  })

  it('sends headers at once to a client that wants no pings', async () => {
    const early = await readUntil({ include_pings: false }, /^HTTP\/1\.1 200[\s\S]*text\/event-stream/)
    expect(early).not.toContain('ping')
  })
})
