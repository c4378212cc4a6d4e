/**
 * The fake provider in a process of its own, for tests that kill servers and for the benchmark. Prints one JSON line
 * `{"url": …}` when it listens. No reply depends on an earlier request: what is answered follows from the transcript alone, so
 * that a request repeated after a crash is answered alike.
 */
import { appendFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseArgs } from 'node:util'
import {
  completeReply,
  dialectOf,
  type FakeRequest,
  type FakeScript,
  findEndpoint,
  readBody,
  startFakeProvider,
} from './fake-provider.ts'
import type { DialectKind, FakeReply } from './fake-provider-dialect.ts'

const USAGE_LINE =
  'node test/support/fake-provider-process.ts --mode instant-text|memory-tool|parallel-tools|custom-tool [--delay-ms N] [--port N] [--log FILE] [--validate]'
const INSTANT_TEXT = 'Fair winds and following seas.'

const { values } = parseArgs({
  options: {
    mode: { type: 'string' },
    'delay-ms': { type: 'string', default: '0' },
    port: { type: 'string', default: '0' },
    log: { type: 'string' },
    validate: { type: 'boolean', default: false },
  },
})
const delayMs = Number(values['delay-ms'])
const port = Number(values.port)

const insert = (text: string) => ({ name: 'memory_insert', arguments: { label: 'human', new_string: text } })

const MODES: Record<string, (request: FakeRequest) => FakeReply> = {
  'instant-text': () => ({ text: INSTANT_TEXT }),
  'memory-tool': ({ isAfterTools, lastUserText }) =>
    isAfterTools ? { text: `answer:${lastUserText}` } : { toolCalls: [insert(`fact:${lastUserText}`)] },
  'custom-tool': ({ isAfterTools, lastUserText }) =>
    isAfterTools
      ? { text: `answer:${lastUserText}` }
      : { toolCalls: [{ name: 'ring', arguments: { text: lastUserText } }] },
  'parallel-tools': ({ isAfterTools, lastUserText }) =>
    isAfterTools
      ? { text: `answer:${lastUserText}` }
      : {
          toolCalls: [
            insert(`fact-a:${lastUserText}`),
            insert(`fact-b:${lastUserText}`),
            { name: 'conversation_search', arguments: { query: lastUserText } },
          ],
        },
}

/** Up to `--delay-ms` in all: most of it before the first byte, the rest spread over the stream. */
function delayed(reply: FakeReply): FakeReply {
  if (delayMs === 0) return reply
  return { ...reply, delayMs: Math.random() * delayMs * 0.7, eventDelayMs: (Math.random() * delayMs * 0.3) / 10 }
}

const announce = (url: string): void => void process.stdout.write(`${JSON.stringify({ url })}\n`)

async function startValidating(reply: (request: FakeRequest) => FakeReply): Promise<void> {
  const script: FakeScript = (request) => delayed(reply(request))
  const provider = await startFakeProvider(script, {
    port,
    onViolation(violation) {
      const { body } = provider.requests[violation.index] ?? {}
      if (values.log !== undefined) appendFileSync(values.log, `${JSON.stringify({ ...violation, body })}\n`)
    },
    routes: { '/violations': () => ({ violations: provider.violations, requests: provider.requests.length }) },
  })
  announce(provider.url)
}

interface PreparedReply {
  status: number
  headers: Record<string, string | number>
  body: Buffer
}

function prepare(kind: DialectKind, isStreaming: boolean): PreparedReply {
  const body = { stream_options: { include_usage: true } }
  const reply = completeReply({ text: INSTANT_TEXT }, { kind, body, model: 'fake' })
  const dialect = dialectOf(kind)
  const bytes = Buffer.from(
    isStreaming ? dialect.toEvents(reply, body).join('') : JSON.stringify(dialect.toWhole(reply)),
  )
  const type = isStreaming ? 'text/event-stream' : 'application/json'
  return { status: 200, headers: { 'content-type': type, 'content-length': bytes.length }, body: bytes }
}

/** The benchmark measures Perdure, not this process: bodies are not parsed, replies are bytes made beforehand. */
async function startInstant(): Promise<void> {
  const kinds: DialectKind[] = ['openai', 'anthropic', 'google']
  const prepared = new Map(
    kinds.flatMap((kind) =>
      [true, false].map((isStreaming) => [`${kind}:${isStreaming}`, prepare(kind, isStreaming)] as const),
    ),
  )
  let served = 0
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://fake')
    const endpoint = findEndpoint(request.method, pathname)
    const body = await readBody(request)
    if (endpoint === undefined) {
      const kind = pathname.startsWith('/v1beta/')
        ? 'google'
        : request.headers['anthropic-version']
          ? 'anthropic'
          : 'openai'
      const isModels = pathname.endsWith('/models')
      response.writeHead(isModels || pathname === '/violations' ? 200 : 404, { 'content-type': 'application/json' })
      const models = dialectOf(kind).toModels([
        { openai: 'gpt-4o-mini', anthropic: 'claude-haiku-4-5', google: 'gemini-2.5-flash' }[kind],
      ])
      response.end(JSON.stringify(isModels ? models : { violations: [], requests: served }))
      return
    }
    served += 1
    const isStreaming = endpoint.isStreaming ?? body.includes('"stream":true')
    const reply = prepared.get(`${endpoint.kind}:${isStreaming}`) as PreparedReply
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, Math.random() * delayMs))
    response.writeHead(reply.status, reply.headers)
    response.end(reply.body)
  })
  server.keepAliveTimeout = 60_000
  server.listen(port, '127.0.0.1', () => announce(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))
}

const mode = MODES[values.mode ?? '']
if (mode === undefined || !Number.isFinite(delayMs) || !Number.isInteger(port)) {
  process.stderr.write(`usage: ${USAGE_LINE}\n`)
  process.exit(2)
}
if (values.mode === 'instant-text' && !values.validate) await startInstant()
else await startValidating(mode)
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(0))
