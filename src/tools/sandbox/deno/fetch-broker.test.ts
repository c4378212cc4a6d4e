import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { NetworkPolicy, ToolRunner } from '#tools/sandbox/tool-runner.ts'
import { runTool, silentLogger, TEST_LIMITS } from '../../../../test/support/tool-call.ts'
import { openDenoRunner } from './open-deno-runner.ts'

/** Names of this test: one of an address that anybody may connect to, one that has been pointed at the server's own machine. */
const ADDRESSES: Record<string, string> = {
  'rebound.example.org': '127.0.0.1',
  'mapped.example.org': '::ffff:127.0.0.1',
  'unique-local.example.org': 'fd00::1',
  'api.example.org': '127.0.0.1',
  'example.org': '127.0.0.1',
  'elsewhere.test': '127.0.0.1',
}
let listener: Server
let port: number
let requests: { path: string; host: string; authorization: string | undefined; body: string }[] = []
let guarded: ToolRunner
let open: ToolRunner

beforeAll(async () => {
  listener = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += chunk))
    request.on('end', () => {
      const { authorization, host = '' } = request.headers
      requests.push({ path: request.url ?? '', host, authorization, body })
      if (request.url?.startsWith('/to/')) {
        response.writeHead(302, { location: decodeURIComponent(request.url.slice(4)) }).end()
      } else if (request.url === '/big') response.end(Buffer.alloc(17 * 1024 * 1024))
      else if (request.url === '/slow') setTimeout(() => response.end('late'), 60_000).unref()
      else response.writeHead(201, { 'x-header': 'a', 'content-type': 'application/json' }).end(`{"got":"${body}"}`)
    })
  }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  port = (listener.address() as AddressInfo).port
  const options = {
    logger: silentLogger,
    maxConcurrent: 4,
    standbys: 2,
    limits: TEST_LIMITS,
    resolveHost: async (host: string) => {
      const address = ADDRESSES[host.replace(/\.$/, '')]
      if (address === undefined) throw new Error(`getaddrinfo ENOTFOUND ${host}`)
      return [{ address, family: address.includes(':') ? 6 : 4 }]
    },
  }
  guarded = await openDenoRunner({ ...options, allowsPrivateAddresses: false })
  open = await openDenoRunner({ ...options, allowsPrivateAddresses: true })
})

afterAll(async () => {
  await Promise.all([guarded[Symbol.asyncDispose](), open[Symbol.asyncDispose]()])
  listener.closeAllConnections()
  listener.close()
})

/** What the tool gets for a URL: status and body, or the message of the error. */
async function get(runner: ToolRunner, url: string, network: NetworkPolicy, init = {}): Promise<string> {
  requests = []
  const sourceCode = `export async function tool(url: string, init: RequestInit) {
    try {
      const response = await fetch(url, init)
      return response.status + ' ' + response.headers.get('x-header') + ' ' + response.url + ' ' + (await response.text())
    } catch (error) { return error.name + ': ' + error.message }
  }`
  const result = await runTool(runner, { sourceCode, args: { url, init }, network })
  return result.status === 'success' ? result.text : JSON.stringify(result)
}
const hosts = (...rules: [string, number | null][]): NetworkPolicy => ({
  kind: 'hosts',
  hosts: rules.map(([host, rulePort]) => ({ host, port: rulePort })),
})
const PUBLIC: NetworkPolicy = { kind: 'public' }

describe('addresses behind the server are refused, and nothing arrives there:', () => {
  test.each([
    'http://127.0.0.1:PORT/',
    'http://2130706433:PORT/',
    'http://0x7f.1:PORT/',
    'http://0.0.0.0:PORT/',
    'http://[::1]:PORT/',
    'http://[::]:PORT/',
    'http://[::ffff:127.0.0.1]:PORT/',
    'http://[::ffff:7f00:1]:PORT/',
    'http://[64:ff9b::7f00:1]:PORT/',
    'http://[fd00::1]:PORT/',
    'http://[fe80::1]:PORT/',
    'http://10.0.0.1:PORT/',
    'http://169.254.169.254/latest/meta-data/',
    'http://100.64.0.1/',
    'http://rebound.example.org:PORT/',
    'http://mapped.example.org:PORT/',
    'http://unique-local.example.org:PORT/',
    'http://user:password@rebound.example.org:PORT/',
  ])('%s', async (url) => {
    for (const network of [
      PUBLIC,
      hosts(['*.example.org', null], ['127.0.0.1', null], ['::1', null], ['10.0.0.1', null]),
    ]) {
      const said = await get(guarded, url.replace('PORT', String(port)), network)
      expect(said).toMatch(/not on the public internet|none of the hosts|URL that includes credentials/)
      expect(requests).toEqual([])
    }
  })
})

describe('hosts that are listed', () => {
  test('answer, with what the code sent', async () => {
    const url = `http://api.example.org:${port}/path?q=1`
    const init = { method: 'POST', body: 'ü', headers: { authorization: 'secret', host: 'other' } }
    expect(await get(open, url, hosts(['api.example.org', port]), init)).toBe(`201 a ${url} {"got":"ü"}`)
    expect(requests).toEqual([
      { path: '/path?q=1', host: `api.example.org:${port}`, authorization: 'secret', body: 'ü' },
    ])
  })

  test.each<[string, [string, number | null], boolean]>([
    ['api.example.org', ['*.example.org', null], true],
    ['API.EXAMPLE.ORG.', ['api.example.org', null], true],
    ['example.org', ['*.example.org', null], false],
    ['elsewhere.test', ['*.example.org', null], false],
    ['api.example.org', ['api.example.org', 1], false],
    ['127.0.0.1', ['127.0.0.1', null], true],
  ])('%s by %j: %s', async (host, rule, isAllowed) => {
    const said = await get(open, `http://${host}:${port}/`, hosts(rule))
    expect(said).toMatch(isAllowed ? /^201/ : /none of the hosts that this tool may connect to/)
    expect(requests.length).toBe(isAllowed ? 1 : 0)
  })

  test('may not redirect to others', async () => {
    const to = encodeURIComponent(`http://elsewhere.test:${port}/stolen`)
    const said = await get(open, `http://api.example.org:${port}/to/${to}`, hosts(['api.example.org', null]))
    expect(said).toContain('elsewhere.test')
    expect(requests.map(({ path }) => path)).toEqual([`/to/${to}`])
  })

  test('redirect among themselves, and credentials stay with their host', async () => {
    const to = `/to/${encodeURIComponent(`http://elsewhere.test:${port}/end`)}`
    const rules = hosts(['api.example.org', null], ['elsewhere.test', null])
    const init = { headers: { authorization: 'secret' } }
    const url = `http://api.example.org:${port}${to}`
    expect(await get(open, url, rules, init)).toBe(`201 a http://elsewhere.test:${port}/end {"got":""}`)
    expect(requests.map(({ authorization }) => authorization)).toEqual(['secret', undefined])
    expect(await get(open, url, rules, { redirect: 'error' })).toContain('redirects')
    expect(await get(open, url, rules, { redirect: 'manual' })).toMatch(/^302/)
  })
})

test('what is no web address, is not there, or is too much', async () => {
  expect(await get(open, 'ftp://example.org/', PUBLIC)).toMatch(/^TypeError/)
  expect(await get(open, 'http://nowhere.test/', PUBLIC)).toBe(
    'TypeError: fetch failed: getaddrinfo ENOTFOUND nowhere.test',
  )
  expect(await get(open, `http://example.org:${port}/big`, PUBLIC)).toContain('answers with more than')
  expect(await get(open, 'data:text/plain,hello', PUBLIC)).toContain('hello')
  expect(await get(open, `http://example.org:${port}/`, { kind: 'none' })).toContain('no network access')
})

test('many at once, and an abort', async () => {
  const sourceCode = `export async function tool(base: string) {
    const all = await Promise.all(Array.from({ length: 10 }, (_, i) => fetch(base + '/' + i, { method: 'POST', body: String(i) }).then((r) => r.json())))
    const slow = await fetch(base + '/slow', { signal: AbortSignal.timeout(100) }).catch((error) => error.name)
    return [all.map(({ got }) => got).join(''), slow]
  }`
  const result = await runTool(open, { sourceCode, args: { base: `http://example.org:${port}` }, network: PUBLIC })
  expect(result).toMatchObject({ status: 'success', text: '["0123456789","TimeoutError"]' })
})
