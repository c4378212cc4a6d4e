import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { anthropicDialect } from './fake-provider-anthropic.ts'
import {
  type CompleteReply,
  type Dialect,
  type DialectKind,
  type FakeReply,
  hashOf,
  isObject,
  type Json,
} from './fake-provider-dialect.ts'
import { googleDialect } from './fake-provider-google.ts'
import { openaiDialect } from './fake-provider-openai.ts'

export interface FakeRequest {
  kind: DialectKind
  /** Path with its query. */
  path: string
  headers: IncomingMessage['headers']
  body: Json
  model: string
  isStreaming: boolean
  /** The last text of the user; empty when there is none. */
  lastUserText: string
  /** Whether the transcript ends with tool results. */
  isAfterTools: boolean
  /** Number of the request since the start, from 0, models lists not counted. */
  index: number
}

export interface Violation {
  index: number
  kind: DialectKind
  problem: string
}

export type FakeScript = (request: FakeRequest) => FakeReply | Promise<FakeReply>

export interface FakeProviderOptions {
  /** 0 (the default) for any free port of 127.0.0.1. */
  port?: number
  /** Names in the models lists. */
  models?: Partial<Record<DialectKind, readonly string[]>>
  /** With it, requests without this key get 401. */
  apiKey?: string
  onViolation?: (violation: Violation) => void
  /** Further GET routes, by path. */
  routes?: Record<string, () => unknown>
}

export interface FakeProvider extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`; the protocols lie below `/v1` and `/v1beta`. */
  url: string
  requests: FakeRequest[]
  violations: Violation[]
  /** Destroys open connections. */
  close(): Promise<void>
}

const DIALECTS: Record<DialectKind, Dialect> = {
  openai: openaiDialect,
  anthropic: anthropicDialect,
  google: googleDialect,
}
const MODELS: Record<DialectKind, readonly string[]> = {
  openai: ['gpt-4o-mini', 'gpt-5-mini', 'text-embedding-3-small'],
  anthropic: ['claude-haiku-4-5', 'claude-sonnet-4-5'],
  google: ['gemini-2.5-flash', 'gemini-3-pro-preview', 'gemini-embedding-001'],
}
const USAGE = { inputTokens: 100, outputTokens: 10 }

interface Endpoint {
  kind: DialectKind
  /** From the path, where the protocol puts it there. */
  model?: string
  isStreaming?: boolean
}

/** Which protocol a request speaks; undefined for a path that no provider has. */
export function findEndpoint(method: string | undefined, path: string): Endpoint | undefined {
  if (method !== 'POST') return undefined
  if (path === '/v1/chat/completions') return { kind: 'openai' }
  if (path === '/v1/messages') return { kind: 'anthropic' }
  const google = /^\/v1beta\/models\/([^/:]+):(streamGenerateContent|generateContent)$/.exec(path)
  if (google === null) return undefined
  return { kind: 'google', model: google[1] ?? '', isStreaming: google[2] === 'streamGenerateContent' }
}

export const dialectOf = (kind: DialectKind): Dialect => DIALECTS[kind]

/** Fills in what a script left out. Ids come from the transcript, so that the same request is answered with the same ids. */
export function completeReply(reply: FakeReply, request: Pick<FakeRequest, 'kind' | 'body' | 'model'>): CompleteReply {
  const id = hashOf(request.body.messages ?? request.body.contents ?? null)
  return {
    id,
    model: request.model,
    text: reply.text ?? '',
    reasoning: reply.reasoning ?? '',
    toolCalls: (reply.toolCalls ?? []).map((call, index) => ({
      id: call.id ?? `${request.kind === 'anthropic' ? 'toolu' : 'call'}_${id}_${index}`,
      name: call.name,
      arguments: typeof call.arguments === 'string' ? call.arguments : JSON.stringify(call.arguments),
    })),
    usage: reply.usage ?? USAGE,
    finishReason: reply.finishReason,
    charsPerEvent: reply.charsPerEvent ?? 16,
  }
}

function sendJson(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  const text = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...headers,
  })
  response.end(text)
}

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

function parseBody(body: Buffer): Json | undefined {
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'))
    return isObject(parsed) ? parsed : undefined
  } catch {
    return undefined
  }
}

const keyOf = ({ headers }: IncomingMessage): string =>
  String(headers['x-api-key'] ?? headers['x-goog-api-key'] ?? (headers.authorization ?? '').replace(/^Bearer /, ''))

async function sendEvents(
  response: ServerResponse,
  events: readonly string[],
  dialect: Dialect,
  reply: FakeReply,
): Promise<void> {
  const { fault } = reply
  const stopAt = fault !== undefined && 'afterEvents' in fault ? fault.afterEvents : Number.POSITIVE_INFINITY
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
  response.flushHeaders()
  if (reply.eventDelayMs === undefined && fault === undefined) return void response.end(events.join(''))
  for (const event of events.slice(0, stopAt)) {
    if (reply.eventDelayMs !== undefined) await sleep(reply.eventDelayMs)
    if (response.destroyed) return
    response.write(event)
  }
  if (fault?.kind === 'hang') return
  if (fault?.kind === 'cut') {
    // a moment for what was written to leave
    await sleep(20)
    response.destroy()
    return
  }
  if (fault?.kind === 'stream-error') response.write(dialect.toErrorEvent(fault.message ?? 'Overloaded'))
  response.end()
}

async function sendReply(response: ServerResponse, request: FakeRequest, reply: FakeReply): Promise<void> {
  const dialect = DIALECTS[request.kind]
  const { fault } = reply
  if (reply.delayMs !== undefined) await sleep(reply.delayMs)
  if (response.destroyed) return
  if (fault?.kind === 'status') {
    const headers = fault.retryAfter === undefined ? undefined : { 'retry-after': fault.retryAfter }
    sendJson(
      response,
      fault.status,
      dialect.toError(fault.status, fault.message ?? `fake status ${fault.status}`),
      headers,
    )
  } else if (fault?.kind === 'context-limit') {
    sendJson(response, 400, dialect.toError(400, dialect.contextLimitMessage))
  } else if (fault?.kind === 'garbage') {
    response.writeHead(200, { 'content-type': request.isStreaming ? 'text/event-stream' : 'application/json' })
    response.end(request.isStreaming ? 'data: {"not": the protocol\n\n' : '<html>not the protocol</html>')
  } else if (fault?.kind === 'hang' && (fault.afterEvents < 0 || !request.isStreaming)) {
    return
  } else if (fault?.kind === 'cut' && !request.isStreaming) {
    response.destroy()
  } else {
    const complete = completeReply(reply, request)
    if (request.isStreaming) await sendEvents(response, dialect.toEvents(complete, request.body), dialect, reply)
    else sendJson(response, 200, dialect.toWhole(complete))
  }
}

/**
 * A real HTTP server that speaks OpenAI's chat completions, Anthropic's messages and Gemini's generateContent, says what `script`
 * says, and refuses with 400, as the real ones do, every request whose transcript is not valid. The refusals are kept in
 * `violations`: a test ends with `expect(provider.violations).toEqual([])`.
 */
export async function startFakeProvider(script: FakeScript, options: FakeProviderOptions = {}): Promise<FakeProvider> {
  const requests: FakeRequest[] = []
  const violations: Violation[] = []

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = incoming.url ?? '/'
    const { pathname } = new URL(path, 'http://fake')
    const endpoint = findEndpoint(incoming.method, pathname)
    if (endpoint === undefined) {
      incoming.resume()
      return sendJson(response, ...findOther(incoming, keyOf(incoming), pathname))
    }
    const dialect = DIALECTS[endpoint.kind]
    const body = parseBody(await readBody(incoming))
    if (options.apiKey !== undefined && keyOf(incoming) !== options.apiKey) {
      return sendJson(response, 401, dialect.toError(401, 'invalid x-api-key'))
    }
    if (body === undefined)
      return sendJson(response, 400, dialect.toError(400, 'We could not parse the JSON body of your request.'))
    const model = endpoint.model ?? String(body.model)
    const request: FakeRequest = {
      kind: endpoint.kind,
      path,
      headers: incoming.headers,
      body,
      model,
      isStreaming: endpoint.isStreaming ?? body.stream === true,
      lastUserText: dialect.lastUserText(body),
      isAfterTools: dialect.isAfterTools(body),
      index: requests.length,
    }
    requests.push(request)
    const problem = dialect.findProblem(body, model)
    if (problem !== undefined) {
      const violation = { index: request.index, kind: request.kind, problem }
      violations.push(violation)
      options.onViolation?.(violation)
      return sendJson(response, 400, dialect.toError(400, problem))
    }
    await sendReply(response, request, await script(request))
  }

  /** Models lists, the test's own routes, and 404 for everything else. */
  function findOther(
    { method, headers }: IncomingMessage,
    key: string,
    pathname: string,
  ): [status: number, body: unknown] {
    const route = method === 'GET' ? options.routes?.[pathname] : undefined
    if (route !== undefined) return [200, route()]
    const isAnthropic = headers['anthropic-version'] !== undefined
    const kind = pathname.startsWith('/v1beta/') ? 'google' : isAnthropic ? 'anthropic' : 'openai'
    const dialect = DIALECTS[kind]
    if (method !== 'GET' || (pathname !== '/v1/models' && pathname !== '/v1beta/models')) {
      return [404, dialect.toError(404, `Invalid URL (${method} ${pathname})`)]
    }
    if (options.apiKey !== undefined && key !== options.apiKey) return [401, dialect.toError(401, 'invalid api key')]
    return [200, dialect.toModels(options.models?.[kind] ?? MODELS[kind])]
  }

  const server = createServer((incoming, response) => {
    answer(incoming, response).catch((error: unknown) => {
      // a mistake of the script, or a client that has gone away
      if (response.headersSent || response.destroyed) response.destroy()
      else
        sendJson(response, 500, {
          error: { message: `fake provider: ${error instanceof Error ? error.stack : String(error)}` },
        })
    })
  })
  // longer than any client keeps a connection, so that none is closed under a request
  server.keepAliveTimeout = 60_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, '127.0.0.1', resolve)
  })
  const close = async (): Promise<void> => {
    if (!server.listening) return
    await new Promise((resolve) => {
      server.close(resolve)
      server.closeAllConnections()
    })
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    violations,
    close,
    [Symbol.asyncDispose]: close,
  }
}
