import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createLogger } from '#platform/logger.ts'
import type { NetworkPolicy, ToolRunner } from '#tools/sandbox/tool-runner.ts'
import { runProgram } from '../../../../test/sandbox/hostile-python.ts'
import { TEST_CERTIFICATE, TEST_KEY } from '../../../../test/sandbox/test-certificate.ts'
import { openCpythonRunner } from './open-cpython-runner.ts'

/** `files.example` is this machine; other names there are none. */
const resolveHost = async (name: string) => {
  if (!name.endsWith('.example')) throw new Error(`getaddrinfo ENOTFOUND ${name}`)
  return [{ address: '127.0.0.1', family: 4 }]
}
const FILES: NetworkPolicy = { kind: 'hosts', hosts: [{ host: 'files.example', port: null }] }
const PRELUDE = `
import os, ssl
plain, secure = (f"{scheme}://files.example:{os.environ[scheme]}/" for scheme in ('http', 'https'))
context = ssl.create_default_context(cadata=os.environ['CERTIFICATE'])
`

let runner: ToolRunner
let closed: ToolRunner
const servers: Server[] = []
const requests: string[] = []
let env: Record<string, string>

async function listen(server: Server): Promise<string> {
  server.on('request', (request, response) => {
    requests.push(`${request.method} ${request.url}`)
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
    })
    request.on('end', () => response.end(`${request.method} ${request.headers.host?.split(':')[0]} ${size}`))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  servers.push(server)
  return String((server.address() as AddressInfo).port)
}

beforeAll(async () => {
  const http = await listen(createServer())
  const https = await listen(createSecureServer({ key: TEST_KEY, cert: TEST_CERTIFICATE }))
  env = { http, https, CERTIFICATE: TEST_CERTIFICATE }
  const options = {
    logger: createLogger({ level: 'silent', format: 'json' }),
    maxConcurrent: 4,
    resolveHost,
    pythonPath: process.env.TEST_PYTHON,
  }
  runner = await openCpythonRunner({ ...options, allowsPrivateAddresses: true })
  closed = await openCpythonRunner({ ...options, allowsPrivateAddresses: false })
})

afterAll(async () => {
  await runner[Symbol.asyncDispose]()
  await closed[Symbol.asyncDispose]()
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
})

const run = (source: string, network: NetworkPolicy = FILES) => runProgram(runner, PRELUDE + source, { env, network })

test('urllib speaks HTTP and HTTPS', async () => {
  const source =
    "from urllib.request import urlopen\n[urlopen(plain, timeout=10).read().decode(), urlopen(secure, b'x' * 300_000, context=context).read().decode()]"
  expect(await run(source)).toMatchObject({ text: '["GET files.example 0", "POST files.example 300000"]' })
})

test('http.client keeps a connection, with options that were set before it was there', async () => {
  const source = `
import http.client, socket
class Connection(http.client.HTTPSConnection):
    def connect(self):
        s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        s.settimeout(10)
        s.connect((self.host, self.port))
        self.sock = context.wrap_socket(s, server_hostname=self.host)
c = Connection('files.example', int(os.environ['https']))
out = []
for _ in range(2):
    c.request('PUT', '/kept', b'abc'); out.append(c.getresponse().read().decode())
out + [c.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0, c.sock.gettimeout(), c.sock.getpeername()[0]]`
  expect(await run(source)).toMatchObject({
    text: '["PUT files.example 3", "PUT files.example 3", true, 10.0, "127.0.0.1"]',
  })
})

test('asyncio connects many at once, with TLS and without', async () => {
  const source = `
import asyncio
async def get(scheme, ssl):
    reader, writer = await asyncio.open_connection('files.example', int(os.environ[scheme]), ssl=ssl)
    writer.writelines([b'GET / HTTP/1.0\\r\\n', b'Host: files.example\\r\\n\\r\\n'])
    text = await reader.read()
    writer.close()
    return text.decode().split('\\r\\n\\r\\n')[1]
async def main():
    return sorted(set(await asyncio.gather(*[get('https', context) for _ in range(6)], *[get('http', None) for _ in range(6)])))
main()`
  expect(await run(source)).toMatchObject({ text: '["GET files.example 0"]' })
})

test('threads connect at once', async () => {
  const source = `
from concurrent.futures import ThreadPoolExecutor
from urllib.request import urlopen
with ThreadPoolExecutor(8) as pool:
    out = list(pool.map(lambda i: urlopen(plain + str(i)).status, range(24)))
out == [200] * 24`
  expect(await run(source)).toMatchObject({ text: 'True' })
})

test('names are looked up by the system where nothing else is given', async () => {
  const options = {
    logger: createLogger({ level: 'silent', format: 'json' }),
    maxConcurrent: 1,
    pythonPath: process.env.TEST_PYTHON,
  }
  await using open = await openCpythonRunner({ ...options, allowsPrivateAddresses: true })
  await using guarded = await openCpythonRunner({ ...options, allowsPrivateAddresses: false })
  const source =
    "import os\nfrom urllib.request import urlopen\nurlopen('http://localhost:' + os.environ['http']).status"
  const network: NetworkPolicy = { kind: 'public' }
  expect(await runProgram(open, source, { env, network })).toMatchObject({ text: '200' })
  const refusal = { type: 'URLError', message: expect.stringMatching(/localhost has the address .* not on the public/) }
  expect(await runProgram(guarded, source, { env, network })).toMatchObject(refusal)
  const unknown = "import socket\nsocket.getaddrinfo('nope.invalid', 80)"
  expect(await runProgram(guarded, unknown, { network })).toMatchObject({ type: 'gaierror' })
})

test('TLS certificates are checked', async () => {
  const result = await run('from urllib.request import urlopen\nurlopen(secure)')
  expect(result).toMatchObject({ type: 'URLError', message: expect.stringContaining('CERTIFICATE_VERIFY_FAILED') })
})

test('a host that is not listed is refused by name, with what allows it', async () => {
  const count = requests.length
  const source = 'from urllib.request import urlopen\nurlopen(plain.replace("files", "other"))'
  const refusal = /other\.example:\d+ is none of the hosts .*metadata_\.network/
  expect(await run(source)).toMatchObject({ type: 'URLError', message: expect.stringMatching(refusal) })
  expect(await run("import socket\nsocket.create_connection(('127.0.0.2', int(os.environ['http'])))")).toMatchObject({
    type: 'PermissionError',
  })
  expect(await run(source, { kind: 'none' })).toMatchObject({
    message: expect.stringContaining('This tool has no network'),
  })
  expect(requests.length).toBe(count)
})

test('private addresses are refused although a tool lists them', async () => {
  const source = `${PRELUDE}from urllib.request import urlopen\nurlopen(plain)`
  const result = await runProgram(closed, source, { env, network: FILES })
  expect(result).toMatchObject({
    type: 'URLError',
    message: expect.stringContaining('127.0.0.1, which is not on the public internet'),
  })
})

test('names and ports where nothing is raise what Python raises', async () => {
  expect(await run("import socket\nsocket.create_connection(('nope.invalid', 80))", { kind: 'public' })).toMatchObject({
    type: 'gaierror',
  })
  expect(await run("import socket\nsocket.create_connection(('files.example', 1))")).toMatchObject({
    type: 'ConnectionRefusedError',
  })
})

test('a connection cannot be turned to another address, nor anything be listened to', async () => {
  const count = requests.length
  const source = `
import _socket, ctypes, socket, struct
s = socket.create_connection(('files.example', int(os.environ['http'])))
libc = ctypes.CDLL(None, use_errno=True)
address = struct.pack('=H', 2) + struct.pack('>H4s8x', int(os.environ['http']), bytes([127, 0, 0, 2]))
nowhere = bytes(16)
out = [
    libc.connect(s.fileno(), nowhere, 16), libc.connect(s.fileno(), address, 16),
    libc.sendto(s.fileno(), b'x', 1, 0x20000000, nowhere, 16), libc.sendto(s.fileno(), b'x', 1, 0x20000000, address, 16),
    libc.bind(s.fileno(), address, 16), libc.listen(s.fileno(), 1), libc.setsockopt(s.fileno(), 6, 31, b'tls', 3),
]
for name in ('bind', 'listen'):
    try: getattr(socket.socket(), name)(*([('0.0.0.0', 0)] if name == 'bind' else [])); out.append(0)
    except PermissionError: out.append(-1)
out`
  expect(await run(source)).toMatchObject({ text: `[${Array(9).fill(-1).join(', ')}]` })
  expect(requests.length).toBe(count)
})

test('a hostile call cannot stop the network of others', async () => {
  const hostile = `
import gc, os, socket, threading
brokers = [s for s in gc.get_objects() if isinstance(s, socket.socket) and s.type == socket.SOCK_SEQPACKET]
for broker in brokers:
    for data in [b'', b'{}', b'[' * 2000, b'\\xff' * 2000, b'{"op": "connect", "host": 5, "port": "x"}']:
        try: broker.send(data)
        except OSError: pass
def flood():
    for _ in range(3000):
        try: socket.create_connection(('files.example', 1), timeout=1)
        except Exception: pass
[threading.Thread(target=flood, daemon=True).start() for _ in range(20)]
import time
time.sleep(3)
len(brokers)`
  const attacker = run(hostile)
  const victims = await Promise.all([1, 2].map(() => run('from urllib.request import urlopen\nurlopen(plain).status')))
  expect(victims).toMatchObject([{ text: '200' }, { text: '200' }])
  expect(await attacker).toMatchObject({ status: 'success', text: '4' })
  expect(await run('from urllib.request import urlopen\nurlopen(plain).status')).toMatchObject({ text: '200' })
})
