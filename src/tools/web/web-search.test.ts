import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { webSearch } from '#tools/builtin/web-search.ts'
import type { ToolContext } from '#tools/tool.ts'
import { WebSearch } from './web-search.ts'

interface Asked {
  method: string | undefined
  path: string
  query: Record<string, string>
  headers: IncomingHttpHeaders
  body: unknown
}

const KEY = 'secret-key-4711'
let asked: Asked[] = []
let reply: { status: number; body: unknown } | 'hang'
const server = createServer(async (request, response) => {
  const url = new URL(request.url ?? '', 'http://x')
  const raw = await text(request)
  asked.push({
    method: request.method,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: request.headers,
    body: raw === '' ? undefined : JSON.parse(raw),
  })
  if (reply === 'hang') return
  const { status, body } = reply
  response
    .writeHead(status, { 'content-type': 'application/json' })
    .end(typeof body === 'string' ? body : JSON.stringify(body))
})
let base: string
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})
beforeEach(() => {
  asked = []
  reply = { status: 200, body: { results: [] } }
})

async function search(
  args: Record<string, unknown>,
  environment: Record<string, string>,
  { keys = {}, timeoutMs = 10_000, signal = new AbortController().signal } = {},
) {
  await using service = new WebSearch({
    keys,
    timeoutMs,
    baseUrls: { EXA_API_KEY: base, TAVILY_API_KEY: `${base}/`, BRAVE_SEARCH_API_KEY: base },
  })
  const context = {
    services: { search: service, pages: undefined as never },
    environment,
    signal,
  } as unknown as ToolContext
  return await webSearch.execute({ query: 'letta memory', ...args }, context)
}
const EVERYTHING = {
  num_results: 3,
  category: 'news',
  include_text: true,
  include_domains: ['https://a.example/', 'b.example'],
  exclude_domains: ['c.example'],
  start_published_date: '2026-01-01',
  end_published_date: '2026-02-01',
  user_location: 'de',
}

describe('Exa', () => {
  test('is asked as its API wants, and its results are given', async () => {
    const published = '2026-01-05T00:00:00.000Z'
    const result = {
      title: 'T',
      url: 'https://a.example/1',
      publishedDate: published,
      author: 'A',
      id: 'x',
      score: 0.4,
    }
    const found = { ...result, highlights: ['h1', 'h2'], summary: 's', text: 'whole' }
    reply = { status: 200, body: { requestId: 'r', results: [found, { url: '' }, null, 'x'] } }
    const outcome = await search(EVERYTHING, { EXA_API_KEY: ` ${KEY}\n` })
    expect(asked).toMatchObject([{ method: 'POST', path: '/search', headers: { 'x-api-key': KEY } }])
    expect(asked[0]?.body).toEqual({
      query: 'letta memory',
      type: 'auto',
      numResults: 3,
      category: 'news',
      includeDomains: ['a.example', 'b.example'],
      excludeDomains: ['c.example'],
      startPublishedDate: '2026-01-01T00:00:00.000Z',
      endPublishedDate: '2026-02-01T23:59:59.999Z',
      userLocation: 'DE',
      contents: { highlights: true, summary: true, text: { maxCharacters: 10_000 } },
    })
    expect(outcome.status).toBe('success')
    expect(JSON.parse(outcome.text)).toEqual({
      query: 'letta memory',
      provider: 'Exa',
      results: [
        {
          title: 'T',
          url: 'https://a.example/1',
          published_date: published,
          author: 'A',
          summary: 's',
          highlights: ['h1', 'h2'],
          text: 'whole',
        },
      ],
    })
  })

  test('gets nothing that was not said, and its own names of categories', async () => {
    await search({ category: 'research paper', num_results: 1_000 }, { EXA_API_KEY: KEY })
    const contents = { highlights: true, summary: true }
    const query = 'letta memory'
    expect(asked[0]?.body).toEqual({ query, type: 'auto', numResults: 100, category: 'publication', contents })
    const tweet = await search({ category: 'tweet' }, { EXA_API_KEY: KEY })
    expect(asked[1]?.body).toEqual({ query, type: 'auto', numResults: 10, contents })
    expect(JSON.parse(tweet.text).note).toContain('"tweet"')
  })
})

describe('Tavily', () => {
  test('is asked as its API wants, and its results are given', async () => {
    const result = { title: 'T', url: 'https://a.example/1', content: 'c', raw_content: 'raw', score: 0.9 }
    reply = { status: 200, body: { query: 'x', results: [{ ...result, published_date: '2026-01-02' }] } }
    const outcome = await search(EVERYTHING, { TAVILY_API_KEY: KEY })
    expect(asked).toMatchObject([{ method: 'POST', path: '/search', headers: { authorization: `Bearer ${KEY}` } }])
    expect(asked[0]?.body).toEqual({
      query: 'letta memory',
      topic: 'news',
      max_results: 3,
      include_raw_content: 'markdown',
      include_domains: ['a.example', 'b.example'],
      exclude_domains: ['c.example'],
      start_date: '2026-01-01',
      end_date: '2026-02-01',
    })
    expect(JSON.parse(outcome.text)).toEqual({
      query: 'letta memory',
      provider: 'Tavily',
      results: [
        { title: 'T', url: 'https://a.example/1', published_date: '2026-01-02', highlights: ['c'], text: 'raw' },
      ],
    })
    const github = await search({ category: 'github', user_location: 'US', num_results: 50 }, { TAVILY_API_KEY: KEY })
    const body = { query: 'letta memory', topic: 'general', max_results: 20, country: 'united states' }
    expect(asked[1]?.body).toEqual(body)
    expect(JSON.parse(github.text).note).toContain('"github"')
  })
})

describe('Brave Search', () => {
  test('is asked as its API wants, and its results are given', async () => {
    const result = { title: 'T', url: 'https://a.example/1', description: 'd', page_age: '2026-01-03T00:00:00' }
    const news = { title: 'N', url: 'https://b.example/2', description: 'n', age: '3 days ago' }
    reply = {
      status: 200,
      body: { web: { results: [{ ...result, extra_snippets: ['e', 1] }] }, news: { results: [news] } },
    }
    const outcome = await search(EVERYTHING, { BRAVE_SEARCH_API_KEY: KEY })
    expect(asked).toMatchObject([
      { method: 'GET', path: '/res/v1/web/search', headers: { 'x-subscription-token': KEY } },
    ])
    expect(asked[0]?.query).toEqual({
      q: 'letta memory (site:a.example OR site:b.example) -site:c.example',
      count: '3',
      country: 'DE',
      freshness: '2026-01-01to2026-02-01',
      result_filter: 'news,web',
      extra_snippets: 'true',
      text_decorations: 'false',
    })
    expect(JSON.parse(outcome.text)).toMatchObject({
      provider: 'Brave Search',
      note: expect.stringContaining('include_text'),
      results: [
        { title: 'T', url: 'https://a.example/1', published_date: '2026-01-03T00:00:00', highlights: ['d', 'e'] },
        { title: 'N', url: 'https://b.example/2', published_date: '3 days ago', highlights: ['n'] },
      ],
    })
  })

  test('gets no longer query than it takes', async () => {
    await search({ query: 'x'.repeat(3_000), include_domains: ['a.example'] }, { BRAVE_SEARCH_API_KEY: KEY })
    expect(asked[0]?.query.q).toHaveLength(400)
    expect(asked[0]?.query.q).toMatch(/ site:a\.example$/)
  })
})

describe('keys', () => {
  test('without one all three names are told, and nobody is asked', async () => {
    const outcome = await search({}, { OTHER: 'x', EXA_API_KEY: ' ' }, { keys: { EXA_API_KEY: undefined } })
    expect(outcome.status).toBe('error')
    for (const name of ['EXA_API_KEY', 'TAVILY_API_KEY', 'BRAVE_SEARCH_API_KEY']) expect(outcome.text).toContain(name)
    expect(asked).toEqual([])
  })

  test("the agent's own go before the server's, Exa before Tavily before Brave", async () => {
    const server = { EXA_API_KEY: 'of-server' }
    await search({}, { BRAVE_SEARCH_API_KEY: KEY, TAVILY_API_KEY: KEY }, { keys: server })
    expect(asked[0]?.headers.authorization).toBe(`Bearer ${KEY}`)
    await search({}, {}, { keys: server })
    expect(asked[1]?.headers['x-api-key']).toBe('of-server')
  })

  test('one that no header can carry is not sent', async () => {
    const outcome = await search({}, { EXA_API_KEY: 'a\r\nx-evil: 1' })
    expect(outcome).toMatchObject({ status: 'error', text: expect.stringContaining('EXA_API_KEY') })
    expect(outcome.text).not.toContain('evil')
    expect(asked).toEqual([])
  })

  test.each([
    ['EXA_API_KEY', { error: `bad key ${KEY}` }],
    ['TAVILY_API_KEY', { detail: { error: `bad key ${KEY}` } }],
    ['BRAVE_SEARCH_API_KEY', { error: { detail: `bad key ${KEY}` } }],
    ['EXA_API_KEY', `<html>bad key ${KEY}</html>`],
  ])('%s stands in no error, even where the service repeats it', async (name, body) => {
    reply = { status: 401, body }
    const outcome = await search({}, { [name]: KEY })
    expect(outcome.status).toBe('error')
    expect(outcome.text).toContain(`refuses the key in ${name} (401)`)
    expect(outcome.text).toContain('bad key ***')
    expect(outcome.text).not.toContain(KEY)
  })
})

describe('what goes wrong', () => {
  test.each([
    [429, 'Try again later'],
    [432, 'no credit'],
    [500, '500'],
    [400, 'because of this'],
  ])('status %i is explained', async (status, expected) => {
    reply = { status, body: { error: 'because of this' } }
    expect(await search({}, { EXA_API_KEY: KEY })).toMatchObject({
      status: 'error',
      text: expect.stringContaining(expected),
    })
  })

  test('an answer that is none, and one of another shape, do no harm', async () => {
    reply = { status: 200, body: 'not json' }
    expect(await search({}, { EXA_API_KEY: KEY })).toMatchObject({ status: 'error' })
    reply = { status: 200, body: { results: 'none', web: [] } }
    for (const name of ['EXA_API_KEY', 'TAVILY_API_KEY', 'BRAVE_SEARCH_API_KEY']) {
      const outcome = await search({}, { [name]: KEY })
      expect(JSON.parse(outcome.text)).toMatchObject({ results: [] })
    }
  })

  test('silence ends with the time, and whoever asked can leave', async () => {
    reply = 'hang'
    const late = await search({}, { EXA_API_KEY: KEY }, { timeoutMs: 100 })
    expect(late).toMatchObject({ status: 'error', text: expect.stringContaining('0.1 s') })
    const controller = new AbortController()
    const left = search({}, { EXA_API_KEY: KEY }, { signal: controller.signal })
    await expect.poll(() => asked.length).toBe(2)
    controller.abort(new Error('cancelled'))
    await expect(left).rejects.toThrow('cancelled')
  })

  test.each([
    [{ start_published_date: 'soon' }, 'ISO 8601'],
    [{ user_location: 'Germany' }, 'two letters'],
    [{ query: '  ' }, 'empty'],
  ])('arguments such as %j are refused with a reason', async (args, expected) => {
    expect(await search(args, { EXA_API_KEY: KEY })).toMatchObject({
      status: 'error',
      text: expect.stringContaining(expected),
    })
    expect(asked).toEqual([])
  })
})
