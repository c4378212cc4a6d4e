import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { json } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { statement } from '#store/db.ts'
import { docxParts, makeDocx, makePdf, zipOf } from '../support/documents.ts'
import { multipartFile } from '../support/multipart.ts'
import { scriptedModel } from '../support/scripted-model.ts'
import { createTestAgent } from '../support/test-agent.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

interface File {
  id: string
  file_name: string
  processing_status: string
  error_message: string | null
  content: string | null
}

const { registry, requests } = scriptedModel(({ messages }) => {
  const last = messages.at(-1)
  if (last?.role !== 'user') return { text: 'Done.' }
  return { toolCalls: [JSON.parse(last.content.map((part) => ('text' in part ? part.text : '')).join('')).call] }
})

/** `x` beside and above the storage is what names that lead out would reach. */
let root: string
let storage: string
let server: TestServer
let folder: { id: string; name: string }
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'perdure-harm-'))
  storage = join(root, 'a', 'b', 'uploads')
  await mkdir(storage, { recursive: true })
  for (const path of ['x', 'a/x', 'a/b/x']) await writeFile(join(root, path), 'untouched')
  server = await startTestServer({ models: registry, config: { fileStorage: 'folder', fileStorageFolder: storage } })
  folder = (await server.request<{ id: string; name: string }>('POST', '/v1/folders', { name: 'docs' })).body
})
afterAll(async () => {
  await server.close()
  await rm(root, { recursive: true, force: true })
})

const tree = async () =>
  (await readdir(root, { recursive: true, withFileTypes: true }))
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort()

/** Whatever a test has sent: outside of the storage there is what was there, and in the storage nothing stays. */
afterEach(async () => {
  await expect.poll(tree, { timeout: 20_000 }).toEqual(['a/b/x', 'a/x', 'x'])
  for (const path of ['x', 'a/x', 'a/b/x']) expect(await readFile(join(root, path), 'utf8')).toBe('untouched')
})

async function send(name: string, bytes: Uint8Array, query = '') {
  const form = multipartFile(name, bytes)
  return server.request<File>('POST', `/v1/folders/${folder.id}/upload?${query}`, form.payload, form.headers)
}
async function read(file: File): Promise<File> {
  const find = async () =>
    (await server.request<File>('GET', `/v1/folders/${folder.id}/files/${file.id}?include_content=true`)).body
  await expect.poll(async () => (await find()).processing_status, { timeout: 40_000 }).toMatch(/^(completed|error)$/)
  return find()
}

test('a zip bomb is refused, with the reason', async () => {
  const bomb = zipOf({ 'word/bomb.xml': new Uint8Array(300_000_000), ...docxParts(['text']) })
  expect(bomb.length).toBeLessThan(400_000)
  const { status, body } = await send('bomb.docx', bomb)
  expect(status).toBe(200)
  const file = await read(body)
  expect(file).toMatchObject({ processing_status: 'error', content: null })
  expect(file.error_message).toMatch(/^The file is refused: unpacked it says to have 28\d MB/)
})

test('a PDF that claims 2 GB inside is what it is', async () => {
  const pdf = Buffer.from(
    makePdf([['small']])
      .toString()
      .replace(/\/Length \d+/, '/Length 2147483648'),
  )
  const file = await read((await send('claim.pdf', pdf)).body)
  expect(file).toMatchObject({ processing_status: 'completed', content: '## Page 1\n\nsmall' })
})

test('a PDF that says it comes with 2 GB is refused before it comes, and nothing is kept', async () => {
  const { payload, headers } = multipartFile('large.pdf', makePdf([['small']]))
  const { hostname, port } = new URL(await server.baseUrl())
  const path = `/v1/folders/${folder.id}/upload`
  const length = { ...headers, 'content-length': String(2 * 1024 ** 3) }
  const sent = request({ hostname, port, method: 'POST', path, headers: length })
  sent.on('error', () => undefined)
  sent.write(payload.subarray(0, 500))
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  expect([response.statusCode, response.headers.connection, await json(response)]).toEqual([
    413,
    'close',
    { detail: 'The file is larger than 50 MB. Split it.' },
  ])
  sent.destroy()
  const noted = statement('test-count-uploads', 'select count(*) as count from stored_uploads')
  // those of the tests before are removed in the background
  await expect.poll(() => server.context.db.query(noted)).toEqual([{ count: 0 }])
})

test('a file goes by the last part of its name, and is stored under none of it', async () => {
  const docx = makeDocx(['the boat is red'])
  for (const [name, query, called] of [
    ['../../x.docx', '', 'x.docx'],
    ['..\\..\\y.docx', '', 'y.docx'],
    ['/etc/z.docx', '', 'z.docx'],
    ['a.docx', 'name=..%2F..%2Fb', 'b.docx'],
  ] as const) {
    const { body } = await send(name, docx, query)
    expect(body.file_name).toBe(`docs/${called}`)
    const stored = (await tree()).filter((path) => path.startsWith('a/b/uploads/'))
    for (const path of stored) expect(path).toMatch(/^a\/b\/uploads\/org-[0-9a-f-]{36}\/file-[0-9a-f-]{36}$/)
    expect((await read(body)).content).toBe('the boat is red')
  }
  // without an ending nothing says what it is, and no byte of it is taken
  expect((await send('../../x', docx)).status).toBe(415)
  expect((await send('..', docx, 'name=..')).status).toBe(422)
})

test('a document with parts that lead out is refused, with the reason', async () => {
  for (const name of ['../../x', '/tmp/x.xml', 'word/..\\..\\x']) {
    const { body } = await send('parts.docx', zipOf({ ...docxParts(['text']), [name]: 'x' }))
    const file = await read(body)
    expect(file.error_message).toMatch(/leads out of it/)
  }
})

test('a pattern that is built to explode is answered in time, from a run', async () => {
  const agentId = await createTestAgent(server.context.db, server.context.models)
  await send('long.txt', Buffer.from(`${'a'.repeat(100_000)}b`))
  await server.request('PATCH', `/v1/agents/${agentId}/folders/attach/${folder.id}`)
  const call = { name: 'grep_files', arguments: { pattern: '^(a+)+$', include: 'long.txt' } }
  const began = performance.now()
  await server.request('POST', `/v1/agents/${agentId}/messages`, {
    messages: [{ role: 'user', content: JSON.stringify({ call }) }],
  })
  expect(performance.now() - began).toBeLessThan(8_000)
  const result = requests.at(-1)?.messages.at(-1)
  expect(JSON.stringify(result)).toContain('No matches found')
})
