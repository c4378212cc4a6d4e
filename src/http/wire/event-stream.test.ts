import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, createConnection } from 'node:net'
import { text } from 'node:stream/consumers'
import { Pool } from 'undici'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { EventStream } from './event-stream.ts'

let server: Server
let port: number
let answer: (response: ServerResponse) => void

beforeAll(async () => {
  server = createServer((_request, response) => answer(response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
})
afterAll(() => void server.close())

function sendTwo(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.flushHeaders()
  const stream = new EventStream(response)
  stream.send({ text: 'Grüße, 海 ⛵' }, 7)
  stream.sendError({ message: 'no' })
  stream.end()
}
const EXPECTED = 'id: 7\ndata: {"text":"Grüße, 海 ⛵"}\n\nevent: error\ndata: {"message":"no"}\n\ndata: [DONE]\n\n'

/** All that the server sends on one connection. */
async function exchange(request: string): Promise<string> {
  const socket = createConnection(port, '127.0.0.1')
  socket.write(request)
  return text(socket)
}

test('chunks are whole to the byte, and the connection serves the next request', async () => {
  answer = sendTwo
  await using pool = Object.assign(new Pool(`http://127.0.0.1:${port}`, { connections: 1 }), {
    [Symbol.asyncDispose]: () => pool.destroy(),
  })
  let connections = 0
  server.on('connection', () => {
    connections += 1
  })
  for (let round = 0; round < 3; round += 1) {
    const { body } = await pool.request({ path: '/', method: 'GET' })
    expect(await body.text()).toBe(EXPECTED)
  }
  expect(connections).toBe(1)
})

test('a client of HTTP/1.0 gets no chunks', async () => {
  answer = sendTwo
  const received = await exchange('GET / HTTP/1.0\r\n\r\n')
  expect(received.slice(received.indexOf('\r\n\r\n') + 4)).toBe(EXPECTED)
})

test('answers to requests that come on one connection without waiting do not mix', async () => {
  const responses: ServerResponse[] = []
  answer = (response) => {
    responses.push(response)
    // the second is written first
    if (responses.length === 2) for (const each of responses.reverse()) sendTwo(each)
  }
  const get = 'GET / HTTP/1.1\r\nhost: x\r\n'
  const received = await exchange(`${get}\r\n${get}connection: close\r\n\r\n`)
  const bodies = received.split('HTTP/1.1 200 OK').slice(1)
  expect(bodies).toHaveLength(2)
  for (const body of bodies) expect(body.match(/data: .*/g)).toHaveLength(3)
})
