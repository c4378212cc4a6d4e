import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

export interface ReceivedCallback {
  path: string
  headers: IncomingHttpHeaders
  /** As it came, to the byte: what is signed. */
  raw: string
  body: Record<string, unknown>
}

/** What the receiver does with the n-th request: a status, with headers if need be, or `hang`: no answer at all. */
export type Answer = number | { status: number; headers: Record<string, string> } | 'hang'

/** A real HTTP server on this machine that takes callbacks. */
export async function startCallbackReceiver(answer: (index: number, callback: ReceivedCallback) => Answer = () => 200) {
  const received: ReceivedCallback[] = []
  const server = createServer(async (request, response) => {
    const raw = await text(request)
    const callback = { path: request.url ?? '', headers: request.headers, raw, body: JSON.parse(raw) }
    const given = answer(received.push(callback) - 1, callback)
    if (given === 'hang') return
    if (typeof given === 'number') response.writeHead(given).end()
    else response.writeHead(given.status, given.headers).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/done`,
    port,
    received,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
