import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** A request as a provider got it. */
export interface SeenRequest {
  method: string
  path: string
  headers: IncomingHttpHeaders
  /** Parsed JSON; undefined for a GET. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of four different APIs
  body: any
  text: string
}

export interface ScriptedAnswer {
  status?: number
  headers?: Record<string, string>
  /** The whole body. */
  json?: unknown
  /** Pieces of an event stream. */
  sse?: readonly string[]
  /** Milliseconds between two pieces. */
  pauseMs?: number
  /** What happens after the pieces: a proper end, a cut connection, or silence. */
  end?: 'close' | 'cut' | 'hang'
}

export interface ScriptedProvider extends AsyncDisposable {
  readonly url: string
  readonly requests: SeenRequest[]
}

/** An HTTP server that answers as a test says. An answer of undefined never comes. */
export async function startScriptedProvider(
  answer: (request: SeenRequest, index: number) => ScriptedAnswer | undefined,
): Promise<ScriptedProvider> {
  const requests: SeenRequest[] = []
  const server = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => {
      text += chunk
    })
    request.on('end', () => {
      const { method = '', url = '', headers } = request
      const body = text === '' ? undefined : JSON.parse(text)
      const seen = { method, path: url, headers, body, text }
      requests.push(seen)
      const given = answer(seen, requests.length - 1)
      if (given !== undefined) void send(response, given)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function send(response: ServerResponse, answer: ScriptedAnswer): Promise<void> {
  const { status = 200, headers, json, sse, pauseMs = 0, end = 'close' } = answer
  if (sse === undefined) {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(JSON.stringify(json ?? {}))
    return
  }
  response.writeHead(status, { 'content-type': 'text/event-stream', ...headers })
  response.flushHeaders()
  for (const piece of sse) {
    response.write(piece)
    if (pauseMs > 0) await sleep(pauseMs)
  }
  if (end === 'close') response.end()
  // a little later, so that what was written arrives first
  if (end === 'cut') setTimeout(() => response.destroy(), 20)
}
