import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { Transform } from 'node:stream'

/** Stands between a client and a server, and can take the server away. */
export interface TcpProxy {
  port: number
  /** Connections accepted so far. */
  accepted: number
  /** Cuts every connection and refuses new ones. Gives the number of connections that were cut. */
  cut(): number
  restore(): void
  /** New connections lead elsewhere. */
  redirect(target: { host: string; port: number }): void
  /** Nothing ever comes through the present connections again, and nobody is told. Gives their number. */
  silence(): number
  /** From now on new connections bring each piece of data this much later, and only one at a time. 0 ends it. */
  slow(delayMs: number): void
  close(): Promise<void>
}

export async function startTcpProxy(first: { host: string; port: number }): Promise<TcpProxy> {
  const open = new Set<Socket>()
  const clients = new Set<Socket>()
  const silent = new Set<Socket>()
  let target = first
  let isCut = false
  let pauseMs = 0
  const server = createServer((client) => {
    if (isCut) return void client.destroy()
    proxy.accepted += 1
    const upstream = connect(target)
    clients.add(client)
    for (const socket of [client, upstream]) {
      open.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        open.delete(socket)
        clients.delete(socket)
        upstream.destroy()
        if (!silent.has(client)) client.destroy()
      })
    }
    if (pauseMs === 0) client.pipe(upstream).pipe(client)
    else client.pipe(lag(pauseMs)).pipe(upstream).pipe(lag(pauseMs)).pipe(client)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy: TcpProxy = {
    port: (server.address() as { port: number }).port,
    accepted: 0,
    cut() {
      isCut = true
      const count = open.size
      for (const socket of open) socket.destroy()
      return count
    },
    restore() {
      isCut = false
    },
    redirect(next) {
      target = next
    },
    silence() {
      const present = [...clients].filter((client) => !silent.has(client))
      for (const client of present) {
        silent.add(client)
        client.unpipe()
        client.resume()
      }
      for (const socket of open) if (!clients.has(socket)) socket.destroy()
      return present.length
    },
    slow(delayMs) {
      pauseMs = delayMs
    },
    async close() {
      for (const socket of open) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
  return proxy
}

const lag = (delayMs: number): Transform =>
  new Transform({ transform: (chunk, _encoding, done) => void setTimeout(done, delayMs, null, chunk) })
