import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { parseAllowedHosts } from '#platform/allowed-hosts.ts'
import { fetchWebpage } from '#tools/builtin/fetch-webpage.ts'
import type { ToolContext } from '#tools/tool.ts'
import { PageFetcher } from './page-fetcher.ts'
import { readPage, UnreadablePage } from './read-page.ts'

const MAX_BYTES = 200_000
const MAX_CHARACTERS = 20_000

let answer: (request: IncomingMessage, response: ServerResponse) => void
let writtenBytes = 0
const server = createServer((request, response) => answer(request, response))
let url: string
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/page`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})
beforeEach(() => {
  writtenBytes = 0
})

const fetcher = (timeoutMs = 20_000) =>
  new PageFetcher({
    timeoutMs,
    maxBytes: MAX_BYTES,
    maxCharacters: MAX_CHARACTERS,
    allowsPrivate: true,
    allowed: parseAllowedHosts(''),
    version: '1',
  })

const send = (headers: Record<string, string>, body: string | Uint8Array, status = 200) => {
  answer = (_request, response) => void response.writeHead(status, headers).end(body)
  return fetcher().fetch(url)
}
const html = (body: string | Uint8Array, more: Record<string, string> = {}) =>
  send({ 'content-type': 'text/html; charset=utf-8', ...more }, body)

/** Sends pieces until the reader has enough. */
const sendForever = (headers: Record<string, string>, piece: Uint8Array) => {
  answer = async (_request, response) => {
    response.writeHead(200, headers)
    while (!response.destroyed) {
      writtenBytes += piece.length
      if (!response.write(piece))
        await Promise.race([sleep(50), new Promise((resolve) => response.once('drain', resolve))])
    }
  }
  return fetcher().fetch(url)
}

const PARAGRAPH =
  '<p>Rivers, lakes, and seas: water goes round, and <b>never</b> stops; see <a href="../more?x=1">more</a>.</p>'
const ARTICLE = `<!doctype html><html><head><title>Water &amp; more</title><style>p{}</style><script>alert(1)</script></head>
  <body><nav><a href="/home">Home</a> MENU-ENTRY</nav><article><h1>The water</h1>${PARAGRAPH.repeat(12)}
  <h2>A table</h2><table><tr><th>River</th><th>km</th></tr><tr><td>Rhine</td><td>1233</td></tr></table>
  <pre><code>let x = 1</code></pre><img src="data:image/png;base64,AAAA" alt="dot"><a href="javascript:alert(1)">bad</a>
  </article><footer>FOOTER-ENTRY</footer></body></html>`

describe('HTML', () => {
  test('becomes the Markdown of its article, with absolute links', async () => {
    const page = await html(ARTICLE)
    if (page.kind !== 'page') throw new Error(page.problem)
    expect([page.title, page.url, page.isCut]).toEqual(['Water & more', url, false])
    const more = new URL('../more?x=1', url).href
    expect(page.text).toContain(`water goes round, and **never** stops; see [more](${more}).`)
    expect(page.text).toMatch(/\| River \| km\s+\|\n\| --- \| --- \|\n\| Rhine \| 1233 \|/)
    expect(page.text).toContain('```\nlet x = 1\n```')
    for (const absent of ['alert', 'MENU-ENTRY', 'FOOTER-ENTRY', 'p{}', 'data:image'])
      expect(page.text).not.toContain(absent)
  })

  test('without an article is given whole', async () => {
    const page = await html('<title>List</title><ul><li><a href="/1">one</a></li><li><a href="/2">two</a></li></ul>')
    expect(page).toMatchObject({ kind: 'page', title: 'List' })
    if (page.kind === 'page') expect(page.text).toContain(`[one](${new URL('/1', url)})`)
  })

  test('that is a piece, empty or broken is read too', async () => {
    expect(await html('<p>only a piece')).toMatchObject({ kind: 'page', text: 'only a piece' })
    expect(await html('')).toMatchObject({ kind: 'page', text: '' })
    expect(await html('<html><body><p>un<b>clo</i>sed <a href="http://[">link</a> <<>> &#0; </body')).toMatchObject({
      kind: 'page',
      text: expect.stringContaining('sed'),
    })
  })

  test('follows a base and leaves out what is hidden', async () => {
    const page = await html(
      '<base href="https://cdn.example.org/a/"><p><a href="b">b</a></p><noscript>NS</noscript><svg>SVG</svg>',
    )
    expect(page).toMatchObject({ kind: 'page', text: '[b](https://cdn.example.org/a/b)' })
  })

  test.each([200, 3_000, 30_000])('nested %i levels deep neither takes long nor kills anything', async (depth) => {
    const page = await html(`<title>deep</title>${'<div>'.repeat(depth)}the bottom`)
    expect(page).toMatchObject({ kind: 'page', title: 'deep', text: 'the bottom' })
  })

  test('is read beside the event loop', async () => {
    let ticks = 0
    const timer = setInterval(() => (ticks += 1), 2)
    const work = { html: PARAGRAPH.repeat(1_000), url, maxCharacters: 1_000_000 }
    const page = await readPage(work, new AbortController().signal)
    clearInterval(timer)
    expect(page.markdown.match(/water goes round/g)).toHaveLength(1_000)
    // on this thread it would be read in one piece, and nothing else would have its turn meanwhile
    expect(ticks).toBeGreaterThan(5)
  })
})

describe('a page that would take all time or memory', () => {
  const signal = new AbortController().signal

  test('is given up, and its thread is ended', async () => {
    const work = { html: '<div>'.repeat(90) + PARAGRAPH.repeat(3_000), url, maxCharacters: 10 }
    await expect(readPage(work, signal, 30)).rejects.toThrow(UnreadablePage)
    // turns are given back
    for (let count = 0; count < 4; count += 1) {
      await expect(readPage({ ...work, html: '<p>fine' }, signal)).resolves.toMatchObject({ markdown: 'fine' })
    }
  })

  test('lets those go that wait for a thread, and the others come to theirs', async () => {
    const heavy = { html: '<div>'.repeat(90) + PARAGRAPH.repeat(3_000), url, maxCharacters: 10 }
    const busy = [readPage(heavy, signal, 700), readPage(heavy, signal, 700)].map((reading) =>
      reading.catch(() => 'given up'),
    )
    const controller = new AbortController()
    const left = readPage({ ...heavy, html: '<p>never' }, controller.signal)
    const patient = readPage({ ...heavy, html: '<p>at last' }, signal)
    controller.abort(new Error('cancelled'))
    await expect(left).rejects.toThrow('cancelled')
    await expect(patient).resolves.toMatchObject({ markdown: 'at last' })
    await Promise.all(busy)
    await expect(readPage({ ...heavy, html: '<p>again' }, signal)).resolves.toMatchObject({ markdown: 'again' })
  })

  test('can be left in the middle', async () => {
    const controller = new AbortController()
    const reading = readPage({ html: PARAGRAPH.repeat(3_000), url, maxCharacters: 10 }, controller.signal)
    controller.abort(new Error('cancelled'))
    await expect(reading).rejects.toThrow('cancelled')
  })
})

describe('other content', () => {
  test.each([
    ['text/plain', 'hello <b>'],
    ['application/json', '{"a": "<html>"}'],
    ['application/ld+json; charset=utf-8', '{"b": 1}'],
    ['application/xml', '<?xml version="1.0"?><a>1</a>'],
    ['application/rss+xml', '<rss><item/></rss>'],
    ['text/markdown', '# Title'],
    ['text/csv', 'a,b\n1,2'],
  ])('%s is given as it is', async (type, body) => {
    expect(await send({ 'content-type': type }, body)).toEqual({
      kind: 'page',
      url,
      title: '',
      text: body,
      isCut: false,
    })
  })

  test.each(['application/pdf', 'image/png', 'application/octet-stream', 'video/mp4', 'application/zip', 'nonsense'])(
    '%s is refused by name',
    async (type) => {
      const refused = await send({ 'content-type': type }, '%PDF-1.7')
      expect(refused).toMatchObject({ kind: 'failed', problem: expect.stringContaining(type) })
    },
  )

  test('without a type is looked at', async () => {
    expect(await send({}, '<!DOCTYPE html><title>T</title><p>x</p>')).toMatchObject({ title: 'T', text: 'x' })
    expect(await send({}, 'just text')).toMatchObject({ text: 'just text' })
    expect(await send({}, '%PDF-1.7 …')).toMatchObject({ kind: 'failed' })
    expect(await send({ 'content-type': 'text/plain' }, Buffer.from([0, 1, 2, 0]))).toMatchObject({ kind: 'failed' })
  })

  test.each([404, 403, 500, 302, 304])('status %i is told', async (status) => {
    expect(await send({}, 'x', status)).toMatchObject({ kind: 'failed', problem: expect.stringContaining(`${status}`) })
  })
})

describe('characters', () => {
  const latin = Buffer.from('<title>caf\xe9</title><p>\x80 na\xefve</p>', 'latin1')
  test.each<[string, Record<string, string>, Uint8Array]>([
    ['by the header', { 'content-type': 'text/html; charset="ISO-8859-1"' }, latin],
    ['by nothing at all', { 'content-type': 'text/html' }, latin],
    [
      'by the page',
      { 'content-type': 'text/html' },
      Buffer.concat([Buffer.from('<meta charset=windows-1252>'), latin]),
    ],
    [
      'by the page, as it once was said',
      { 'content-type': 'text/html' },
      Buffer.concat([Buffer.from('<meta http-equiv="Content-Type" content="text/html; charset=iso-8859-1">'), latin]),
    ],
    ['by an encoding that nobody knows', { 'content-type': 'text/html; charset=x-unknown' }, latin],
    [
      'by a mark',
      { 'content-type': 'text/html; charset=latin1' },
      Buffer.from('\ufeff<title>café</title><p>€ naïve</p>'),
    ],
    ['as UTF-8', { 'content-type': 'text/html' }, Buffer.from('<title>café</title><p>€ naïve</p>')],
    [
      'in two bytes',
      { 'content-type': 'text/html' },
      Buffer.from('\ufeff<title>café</title><p>€ naïve</p>', 'utf16le'),
    ],
  ])('are read %s', async (_how, headers, body) => {
    expect(await send(headers, body)).toMatchObject({ kind: 'page', title: 'café', text: '€ naïve' })
  })

  test('of Japanese pages too', async () => {
    const shiftJis = Buffer.from([0x93, 0xfa, 0x96, 0x7b])
    expect(await send({ 'content-type': 'text/plain; charset=Shift_JIS' }, shiftJis)).toMatchObject({ text: '日本' })
  })
})

describe('sizes', () => {
  const text = { 'content-type': 'text/plain' }

  test.each([
    ['gzip', gzipSync('packed text')],
    ['deflate', deflateSync('packed text')],
    ['br', brotliCompressSync('packed text')],
    ['deflate, gzip', gzipSync(deflateSync('packed text'))],
  ])('%s is unpacked', async (encoding, body) => {
    expect(await send({ ...text, 'content-encoding': encoding }, body)).toMatchObject({ text: 'packed text' })
  })

  test('an encoding that nobody knows, and one that is not what it says, are told', async () => {
    const once = await send({ ...text, 'content-encoding': 'rot13' }, 'x')
    expect(once).toMatchObject({ kind: 'failed', problem: expect.stringContaining('rot13') })
    const thrice = await send({ ...text, 'content-encoding': 'gzip, gzip, gzip' }, 'x')
    expect(thrice).toMatchObject({ kind: 'failed' })
    expect(await send({ ...text, 'content-encoding': 'gzip' }, 'not packed')).toMatchObject({ kind: 'failed' })
    expect(
      await send({ ...text, 'content-encoding': 'gzip' }, gzipSync('x'.repeat(9_999)).subarray(0, 30)),
    ).toMatchObject({
      kind: 'failed',
    })
  })

  test('little that unpacks to much stops at the limit', async () => {
    const bomb = gzipSync(Buffer.alloc(300 * 1024 * 1024, 'a'))
    expect(bomb.length).toBeGreaterThan(MAX_BYTES)
    const page = await send({ ...text, 'content-encoding': 'gzip' }, bomb)
    expect(page).toMatchObject({ kind: 'page', isCut: true, text: 'a'.repeat(MAX_CHARACTERS) })
    const twice = await send({ ...text, 'content-encoding': 'gzip, gzip' }, gzipSync(bomb))
    expect(twice).toMatchObject({ kind: 'page', isCut: true })
  })

  test('a body without end is read up to the limit', async () => {
    expect(await sendForever(text, Buffer.alloc(50_000, 'b'))).toMatchObject({ kind: 'page', isCut: true })
    expect(writtenBytes).toBeLessThan(100 * MAX_BYTES)
    // members of gzip that unpack to nothing at all
    expect(await sendForever({ ...text, 'content-encoding': 'gzip' }, gzipSync(''))).toMatchObject({
      isCut: true,
      text: '',
    })
  })

  test('a long page is cut in the middle of no character', async () => {
    const page = await send(text, '😀'.repeat(MAX_CHARACTERS))
    expect(page).toMatchObject({ kind: 'page', isCut: true })
  })

  test('silence ends with the time', async () => {
    answer = () => undefined
    const silent = await fetcher(150).fetch(url)
    expect(silent).toMatchObject({ kind: 'failed', problem: expect.stringContaining('0.15 s') })
    answer = (_request, response) => void response.writeHead(200, text).write('begin')
    expect(await fetcher(150).fetch(url)).toMatchObject({ kind: 'failed' })
  })

  test('whoever asked can leave', async () => {
    const controller = new AbortController()
    answer = () => controller.abort(new Error('cancelled'))
    await expect(fetcher().fetch(url, controller.signal)).rejects.toThrow('cancelled')
  })

  test('headers without end are refused', async () => {
    expect(await send({ ...text, long: 'x'.repeat(60_000) }, 'y')).toMatchObject({ kind: 'failed' })
  })
})

describe('the tool', () => {
  const run = (value: unknown, services: ToolContext['services'] = { pages: fetcher(), search: undefined as never }) =>
    fetchWebpage.execute({ url: value }, { services, signal: new AbortController().signal } as ToolContext)

  test('gives title, address and text, and says where a page goes on', async () => {
    answer = (_request, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end(ARTICLE)
    const short = await run(` ${url} `)
    expect(short.status).toBe('success')
    expect(short.text.startsWith(`# Water & more\n\nSource: ${url}\n\n`)).toBe(true)
    answer = (_request, response) =>
      void response.writeHead(200, { 'content-type': 'text/plain' }).end('😀x'.repeat(99_999))
    const long = await run(url)
    expect(long.text).toMatch(/only its beginning is shown\.\]$/)
    expect(long.text.isWellFormed()).toBe(true)
  })

  test('says what went wrong, to the model', async () => {
    const open = new PageFetcher({
      timeoutMs: 5_000,
      maxBytes: 10,
      maxCharacters: 10,
      allowsPrivate: false,
      allowed: parseAllowedHosts(''),
      version: '1',
    })
    const refused = await run('http://169.254.169.254/', { pages: open, search: undefined as never })
    expect(refused).toEqual({ status: 'error', text: expect.stringContaining('not on the public internet') })
    expect(await run('http://127.0.0.1:1/')).toMatchObject({
      status: 'error',
      text: expect.stringContaining('ECONNREFUSED'),
    })
    expect(await fetchWebpage.execute({ url }, {} as ToolContext)).toMatchObject({ status: 'error' })
  })
})
