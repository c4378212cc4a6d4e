import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { checkCallable } from '#agent/providers/check-key.ts'
import { CallbackPoster } from '#jobs/post-callback.ts'
import { createModelFetch } from '#llm/fetch.ts'
import { parseAllowedHosts } from '#platform/allowed-hosts.ts'
import { DomainError } from '#platform/errors.ts'
import { findForbiddenAddress, type Resolve } from '#platform/guarded-lookup.ts'
import { checkCallbackUrl } from '#runs/check-callback-url.ts'
import { checkServerUrl } from '#tools/mcp/check-mcp-server.ts'
import { GuardedFetch } from '#tools/mcp/guarded-fetch.ts'
import { PageFetcher } from '#tools/web/page-fetcher.ts'
import { FORBIDDEN_NAMES, FORBIDDEN_URLS, HONEST_URLS } from '../support/ssrf-vectors.ts'

/** Every door through which a client or a model can send this server somewhere, against every trick. */

const TIMEOUT_MS = 10_000
/** Plays a server on the internet: allowed by name, unlike the rest of 127.0.0.0/8. */
const OUTSIDE = '127.0.0.2'

let asked: string[]
beforeEach(() => {
  asked = []
})
const resolveTo =
  (addresses: (host: string) => readonly string[]): Resolve =>
  async (host) => {
    asked.push(host)
    return addresses(host).map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
  }

const newFetcher = (resolve: Resolve, allowed = '') =>
  new PageFetcher({
    timeoutMs: TIMEOUT_MS,
    maxBytes: 10_000,
    maxCharacters: 1_000,
    allowsPrivate: false,
    allowed: parseAllowedHosts(allowed),
    version: '1',
    resolve,
  })

/** What a guard says to an address: `refused` only where it says so itself, not where nothing was there. */
type Guard = (url: string, resolve: Resolve) => Promise<string>

const checks = (check: (url: string) => void): Guard => {
  return async (url) => {
    try {
      check(url)
      return 'allowed'
    } catch (error) {
      return error instanceof DomainError ? 'refused' : String(error)
    }
  }
}

/** Those that look at an address when it is stored. */
const CHECKS: Record<string, Guard> = {
  callback_url: checks((url) => checkCallbackUrl(url, false)),
  'base_url of a provider': checks((url) =>
    checkCallable({ name: 'mine', providerType: 'openai', baseUrl: url, apiKey: 'k' }, false),
  ),
  'server_url of an MCP server': checks((url) =>
    checkServerUrl(url, { allowsStdio: false, allowsPrivate: false, allowed: parseAllowedHosts('') }),
  ),
}

/** Those that connect. */
const CONNECTIONS: Record<string, Guard> = {
  fetch_webpage: async (url, resolve) => (await newFetcher(resolve).fetch(url)).kind,
  callbacks: async (url, resolve) => {
    await using poster = new CallbackPoster({ timeoutMs: TIMEOUT_MS, allowsPrivate: false, version: '1', resolve })
    return (await poster.post(url, '{}', {})).kind
  },
  providers: async (url, resolve) => {
    const modelFetch = createModelFetch({
      firstByteTimeoutMs: TIMEOUT_MS,
      idleTimeoutMs: 1_000,
      isPublicOnly: true,
      resolve,
    })
    try {
      await modelFetch(url)
      return 'answered'
    } catch (error) {
      const isRefused =
        findForbiddenAddress(error) !== undefined || (error as { code?: string }).code === 'ERR_INVALID_URL'
      return isRefused ? 'refused' : `failed: ${error}`
    }
  },
  'MCP servers': async (url, resolve) => {
    if (!URL.canParse(url)) return 'refused'
    const guard = { allowsPrivate: false, allowed: parseAllowedHosts(''), connectTimeoutMs: TIMEOUT_MS, resolve }
    await using guarded = new GuardedFetch({ ...guard, maxResponseBytes: 1_000 })
    try {
      await guarded.for()(url, {})
      return 'answered'
    } catch (error) {
      return findForbiddenAddress(error) === undefined ? `failed: ${error}` : 'refused'
    }
  },
}
const GUARDS = { ...CHECKS, ...CONNECTIONS }

const verdictsOf = async (guards: Record<string, Guard>, url: string, resolve: Resolve) =>
  Object.fromEntries(
    await Promise.all(Object.entries(guards).map(async ([name, guard]) => [name, await guard(url, resolve)])),
  )
const all = (guards: object, verdict: unknown) => Object.fromEntries(Object.keys(guards).map((name) => [name, verdict]))

test('there are enough of them, and none twice', () => {
  expect(new Set(FORBIDDEN_URLS).size).toBe(FORBIDDEN_URLS.length)
  expect(FORBIDDEN_URLS.length + Object.keys(FORBIDDEN_NAMES).length).toBeGreaterThan(200)
  expect(HONEST_URLS.length).toBeGreaterThanOrEqual(20)
})

describe('refused by every guard, without asking what the name means', () => {
  test.each(FORBIDDEN_URLS)('%j', async (url) => {
    const resolve = resolveTo(() => ['93.184.215.14'])
    expect(await verdictsOf(GUARDS, url, resolve)).toEqual(all(GUARDS, 'refused'))
    expect(asked).toEqual([])
  })
})

describe('refused by whoever connects, because of what the name means', () => {
  test.each(Object.entries(FORBIDDEN_NAMES))('%s at %j', async (name, addresses) => {
    const resolve = resolveTo(() => addresses)
    for (const scheme of ['http', 'https']) {
      expect(await verdictsOf(CONNECTIONS, `${scheme}://${name}/`, resolve)).toEqual(all(CONNECTIONS, 'refused'))
    }
    expect(asked).toEqual(Array.from({ length: 2 * Object.keys(CONNECTIONS).length }, () => name))
  })
})

describe('allowed by every guard', () => {
  test.each(HONEST_URLS)('%j', async (url) => {
    expect(
      await verdictsOf(
        CHECKS,
        url,
        resolveTo(() => []),
      ),
    ).toEqual(all(CHECKS, 'allowed'))
    const { hostname } = new URL(url)
    if (/^[\d.]+$|^\[/.test(hostname)) return
    // it goes as far as the look-up, which finds nothing here
    const verdicts = await verdictsOf(
      CONNECTIONS,
      url,
      resolveTo(() => []),
    )
    expect(verdicts).toMatchObject({ fetch_webpage: 'failed', callbacks: 'failed' })
    expect(verdicts.providers).toContain('has no address')
    expect(verdicts['MCP servers']).toMatch(/^failed/)
    expect(asked).toEqual(Object.keys(CONNECTIONS).map(() => hostname))
  })
})

describe('with servers', () => {
  let outside: Awaited<ReturnType<typeof startOutside>>
  let victim: Awaited<ReturnType<typeof startVictim>>
  beforeAll(async () => {
    victim = await startVictim()
    outside = await startOutside(victim.port)
  })
  afterAll(async () => {
    await outside.close()
    await victim.close()
  })
  beforeEach(() => {
    outside.requests.length = 0
  })

  const place = (path: string) => `http://${OUTSIDE}:${outside.port}${path}`
  const redirect = (status: number, to: string) => place(`/redirect/${status}/${encodeURIComponent(to)}`)
  const home = () =>
    newFetcher(
      resolveTo(() => ['127.0.0.1']),
      OUTSIDE,
    )

  test('the stand-in for the internet is reached, and the victim could be', async () => {
    expect(await home().fetch(place('/page'))).toMatchObject({ kind: 'page', text: 'a page of others' })
    const open = new PageFetcher({
      timeoutMs: TIMEOUT_MS,
      maxBytes: 1_000,
      maxCharacters: 100,
      allowsPrivate: true,
      allowed: parseAllowedHosts(''),
      version: '1',
    })
    await open.fetch(`http://127.0.0.1:${victim.port}/`)
    expect(victim.connections).toBe(1)
    victim.connections = 0
  })

  // what is no absolute address leads back to the server that sends it
  const targets = FORBIDDEN_URLS.filter(
    (url) => /^\s*[a-z-]+:/i.test(url) && !/^http:(\/?[^/\\]|\/*$)/i.test(url.trim()),
  )
  test.each(targets)('a redirect to %j is not followed', async (target) => {
    for (const status of [301, 302, 303, 307, 308]) {
      expect((await home().fetch(redirect(status, target))).kind).toBe('refused')
    }
    expect(outside.requests).toHaveLength(5)
    expect(victim.connections).toBe(0)
  })

  test.each([301, 302, 303, 307, 308])('a redirect (%i) to the victim is not followed, at any hop', async (status) => {
    const bad = [
      `http://127.0.0.1:${victim.port}/`,
      `http://rebound.example.org:${victim.port}/`,
      `//127.1:${victim.port}/x`,
    ]
    for (const target of bad) {
      let url = redirect(status, target)
      for (let hops = 1; hops < 4; hops += 1) url = redirect(status, url)
      expect((await home().fetch(url)).kind).toBe('refused')
    }
    expect(outside.requests).toHaveLength(12)
    expect(victim.connections).toBe(0)
  })

  test('an honest redirect is followed, also a relative one, five times and no more', async () => {
    expect(await home().fetch(redirect(302, '/page'))).toMatchObject({ kind: 'page', url: place('/page') })
    let url = place('/page')
    for (let hops = 0; hops < 5; hops += 1) url = redirect(307, url)
    expect(await home().fetch(url)).toMatchObject({ kind: 'page', text: 'a page of others' })
    expect(await home().fetch(redirect(307, url))).toMatchObject({ kind: 'failed' })
    expect(await home().fetch(place('/loop'))).toMatchObject({ kind: 'failed', problem: expect.stringContaining('5') })
  })

  test('a name that means something else at the second look leads nowhere', async () => {
    let looks = 0
    const resolve = resolveTo(() => (looks++ === 0 ? [OUTSIDE] : ['127.0.0.1']))
    const fetcher = newFetcher(resolve, OUTSIDE)
    // the outside server and the victim have the same port, so only the address tells them apart
    const url = `http://rebound.example.org:${outside.port}/page`
    expect(await fetcher.fetch(url)).toMatchObject({ kind: 'page', text: 'a page of others' })
    // one look for one connection: what was checked is what was connected to
    expect([looks, victim.connections]).toEqual([1, 0])
    expect(await fetcher.fetch(url)).toMatchObject({ kind: 'refused', problem: expect.stringContaining('127.0.0.1') })
    expect([looks, victim.connections]).toEqual([2, 0])
  })

  test('a name that turns in the middle of a redirect leads nowhere', async () => {
    let looks = 0
    const fetcher = newFetcher(
      resolveTo(() => (looks++ === 0 ? [OUTSIDE] : ['127.0.0.1'])),
      OUTSIDE,
    )
    const start = `http://turn.example.org:${outside.port}/redirect/302/`
    const target = `http://other.example.org:${victim.port}/`
    expect((await fetcher.fetch(`${start}${encodeURIComponent(target)}`)).kind).toBe('refused')
    expect([looks, victim.connections]).toEqual([2, 0])
  })

  test('callbacks and providers do not follow redirects at all', async () => {
    const target = `http://127.0.0.1:${victim.port}/`
    await using poster = new CallbackPoster({ timeoutMs: TIMEOUT_MS, allowsPrivate: true, version: '1' })
    expect(await poster.post(redirect(307, target), '{}', {})).toMatchObject({ kind: 'answered', statusCode: 307 })
    const modelFetch = createModelFetch({ firstByteTimeoutMs: TIMEOUT_MS, idleTimeoutMs: 1_000 })
    expect((await modelFetch(redirect(307, target), { method: 'POST', body: '{}' })).status).toBe(307)
    expect(victim.connections).toBe(0)
  })

  test('no cookie, no credential and no place where one comes from is sent along', async () => {
    expect(await home().fetch(redirect(302, place('/page')))).toMatchObject({ kind: 'page' })
    const names = outside.requests.flatMap(({ headers }) => Object.keys(headers))
    expect(outside.requests).toHaveLength(2)
    expect([...new Set(names)].toSorted()).toEqual(
      ['accept', 'accept-encoding', 'accept-language', 'connection', 'host', 'user-agent'].toSorted(),
    )
    expect(await home().fetch(`http://user:secret@${OUTSIDE}:${outside.port}/page`)).toMatchObject({ kind: 'refused' })
    expect(await home().fetch(redirect(302, `http://user:secret@${OUTSIDE}:${outside.port}/page`))).toMatchObject({
      kind: 'refused',
    })
  })

  test('an allowed network opens itself and nothing beside it', async () => {
    const fetcher = newFetcher(
      resolveTo((host) => (host === 'wiki' ? [OUTSIDE] : ['127.0.0.3'])),
      '127.0.0.2/32',
    )
    expect(await fetcher.fetch(`http://wiki:${outside.port}/page`)).toMatchObject({ kind: 'page' })
    for (const url of ['http://127.0.0.3/', 'http://other/', 'http://wiki:22/', 'http://[::1]/']) {
      expect((await fetcher.fetch(url)).kind).toBe('refused')
    }
  })
})

/** A server that sends on whoever asks it. On the victim's port, at another address. */
async function startOutside(port: number) {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    const [, kind, status, to = ''] = (request.url ?? '').split('/')
    if (kind === 'redirect') {
      const location = Buffer.from(decodeURIComponent(to))
        .toString('latin1')
        .replace(/[\t\n]/g, '')
      response.writeHead(Number(status), { location, 'set-cookie': 'seen=1' }).end('elsewhere')
    } else if (kind === 'loop') response.writeHead(302, { location: '/loop' }).end()
    else response.writeHead(200, { 'content-type': 'text/plain', 'set-cookie': 'seen=1' }).end('a page of others')
  })
  await new Promise<void>((resolve) => server.listen(port, OUTSIDE, resolve))
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(resolve))
    },
  }
}

/** What must not be reached; counts whoever comes. */
async function startVictim() {
  const victim = { port: 0, connections: 0, close: () => new Promise((resolve) => server.close(resolve)) }
  const server = createTcpServer((socket) => {
    victim.connections += 1
    socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  victim.port = (server.address() as AddressInfo).port
  return victim
}
