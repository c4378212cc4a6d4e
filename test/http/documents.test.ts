import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { type Letta, toFile } from '@letta-ai/letta-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { statement } from '#store/db.ts'
import { makeDocx, makePdf, makePptx, makeXlsx } from '../support/documents.ts'
import { multipartFile } from '../support/multipart.ts'
import { scriptedModel } from '../support/scripted-model.ts'
import { createTestAgent } from '../support/test-agent.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

interface File {
  id: string
  processing_status: string
  [field: string]: unknown
}

/** What the model calls, by the last thing that was said to it. */
const { registry, requests } = scriptedModel(({ messages }) => {
  const last = messages.at(-1)
  if (last?.role !== 'user') return { text: 'Done.' }
  return { toolCalls: [JSON.parse(last.content.map((part) => ('text' in part ? part.text : '')).join('')).call] }
})
const MAX_UPLOAD_BYTES = 3 * 1024 * 1024

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ models: registry, config: { maxUploadBytes: MAX_UPLOAD_BYTES } })
})
afterAll(() => server.close())

let number = 0
async function newFolder(): Promise<{ id: string; name: string }> {
  number += 1
  return (await server.request<{ id: string; name: string }>('POST', '/v1/folders', { name: `docs ${number}` })).body
}
async function send(folderId: string, name: string, bytes: Uint8Array, query = '') {
  const form = multipartFile(name, bytes)
  return server.request<File>('POST', `/v1/folders/${folderId}/upload?${query}`, form.payload, form.headers)
}
const find = async (folderId: string, fileId: string) =>
  (await server.request<File>('GET', `/v1/folders/${folderId}/files/${fileId}?include_content=true`)).body
const ended = async (folderId: string, fileId: string): Promise<File> => {
  const status = async () => (await find(folderId, fileId)).processing_status
  await expect.poll(status, { timeout: 40_000, interval: 100 }).toMatch(/^(completed|error)$/)
  return find(folderId, fileId)
}
const countParts = statement('test-count-parts', 'select count(*) as count from file_upload_parts')
const parts = async () => (await server.context.db.query<{ count: number }>(countParts))[0]?.count

test('every kind of document is read, and its job shows it', async () => {
  const { id } = await newFolder()
  const documents: [string, Uint8Array, string][] = [
    ['letter.docx', makeDocx(['# Dear Ann', 'the boat is red']), '# Dear Ann\n\nthe boat is red'],
    ['talk.pptx', makePptx([{ title: 'Boats', lines: ['red'] }]), '## Slide 1: Boats\n\nred'],
    ['sums.xlsx', await makeXlsx({ Boats: [['colour'], ['red']] }), '## Boats\n\n| colour |\n| --- |\n| red |'],
    ['paper.pdf', makePdf([['the boat is red']]), '## Page 1\n\nthe boat is red'],
    ['page.html', Buffer.from('<h1>Boats</h1><p>red</p>'), '# Boats\n\nred'],
  ]
  for (const [name, bytes, text] of documents) {
    const { status, body } = await send(id, name, bytes)
    expect(status).toBe(200)
    expect(body).toMatchObject({
      processing_status: 'pending',
      total_chunks: 0,
      chunks_embedded: 0,
      error_message: null,
    })
    expect(body.file_size).toBe(bytes.length)
    const file = await ended(id, body.id)
    expect(file).toMatchObject({ processing_status: 'completed', content: text, total_chunks: 1, chunks_embedded: 1 })
  }
  const jobs = (await server.request<{ status: string }[]>('GET', `/v1/jobs?source_id=${id}`)).body
  expect(jobs.map((job) => job.status)).toEqual(Array(5).fill('completed'))
  expect((await server.request<unknown[]>('GET', `/v1/folders/${id}/passages`)).body).toHaveLength(5)
})

test('the official client uploads a document, and an agent searches and opens it by its lines', async () => {
  const { id, name } = await newFolder()
  const agentId = await createTestAgent(server.context.db, server.context.models)
  await server.request('PATCH', `/v1/agents/${agentId}/folders/attach/${id}`)
  const client: Letta = await server.sdk()
  const lines = Array.from({ length: 120 }, (_, index) => `paragraph ${index + 1}`)
  const file = await toFile(makeDocx(lines), 'book.docx')
  const uploaded = await client.folders.files.upload(id, { file })
  expect(uploaded.processing_status).toBe('pending')
  await ended(id, uploaded.id)

  const call = async (toolName: string, args: object) => {
    const text = JSON.stringify({ call: { name: toolName, arguments: args } })
    await client.agents.messages.create(agentId, { messages: [{ role: 'user', content: text }] })
    const result = requests.at(-1)?.messages.at(-1)
    if (result?.role !== 'tool') throw new Error('the model got no result')
    return (JSON.parse(result.results[0]?.text ?? '') as { message: string }).message
  }
  const content = String((await find(id, uploaded.id)).content).split('\n')
  const line = content.indexOf('paragraph 77') + 1
  expect(line).toBe(153)
  expect(await call('grep_files', { pattern: 'paragraph 77$' })).toContain(`=== ${name}/book.docx:${line} ===`)
  const part = { file_name: `${name}/book.docx`, offset: line - 1, length: 3 }
  expect(await call('open_files', { file_requests: [part] })).toContain(
    `[Viewing lines 153 to 155 (out of 239 lines)]\n153: paragraph 77\n154: \n155: paragraph 78`,
  )
})

test('a file that cannot be read says why', async () => {
  const { id } = await newFolder()
  const { body } = await send(id, 'a.docx', Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 1, 2, 3]))
  const error_message = expect.stringMatching(/^The file has a password, or the format of Office before 2007\. Save it/)
  expect(await ended(id, body.id)).toMatchObject({ processing_status: 'error', error_message, total_chunks: 0 })
  const [job] = (await server.request<object[]>('GET', `/v1/jobs?source_id=${id}`)).body
  expect(job).toMatchObject({ status: 'failed', metadata: { file_id: body.id, error: error_message } })
})

test('what is too large, refused or torn leaves nothing', async () => {
  const { id } = await newFolder()
  const large = await send(id, 'large.pdf', Buffer.alloc(MAX_UPLOAD_BYTES + 1))
  expect([large.status, large.body.detail]).toEqual([413, 'The file is larger than 3 MB. Split it.'])
  expect((await send(id, 'large.png', Buffer.alloc(MAX_UPLOAD_BYTES))).status).toBe(415)
  const form = multipartFile('torn.pdf', Buffer.alloc(2_500_000))
  const torn = await server.request(
    'POST',
    `/v1/folders/${id}/upload`,
    form.payload.subarray(0, 2_400_000),
    form.headers,
  )
  expect(torn.status).toBe(400)
  const { body } = await send(id, 'a.pdf', makePdf([['one']]))
  expect((await send(id, 'a.pdf', makePdf([['two']]), 'duplicate_handling=error')).status).toBe(400)
  await ended(id, body.id)
  expect((await server.request<File[]>('GET', `/v1/folders/${id}/files`)).body.map((file) => file.id)).toEqual([
    body.id,
  ])
  expect(await parts()).toBe(0)
})

test('a client that breaks off leaves nothing', async () => {
  const { id } = await newFolder()
  const { headers, payload } = multipartFile('a.pdf', Buffer.alloc(2_500_000))
  const { hostname, port } = new URL(await server.baseUrl())
  const path = `/v1/folders/${id}/upload`
  const sent = request({ hostname, port, method: 'POST', path, headers: { ...headers, connection: 'close' } })
  const broken = once(sent, 'error')
  sent.write(payload.subarray(0, 2_400_000))
  await expect.poll(parts, { timeout: 20_000 }).toBe(2)
  sent.destroy(new Error('the client is gone'))
  await broken
  await expect.poll(parts, { timeout: 20_000 }).toBe(0)
  expect((await server.request('GET', `/v1/folders/${id}/files`)).body).toEqual([])
})

test('a connection on which a file was refused before it was there serves on', async () => {
  const { id } = await newFolder()
  const { hostname, port } = new URL(await server.baseUrl())
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const ask = (method: string, path: string, headers = {}, body?: Uint8Array) =>
    new Promise<number | undefined>((resolve, reject) => {
      const sent = request({ agent, hostname, port, method, path, headers }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode))
      })
      sent.on('error', reject)
      sent.end(body)
    })
  const form = multipartFile('a.png', Buffer.alloc(MAX_UPLOAD_BYTES - 1))
  const headers = { ...form.headers, 'content-length': form.payload.length }
  expect(await ask('POST', `/v1/folders/${id}/upload`, headers, form.payload)).toBe(415)
  expect(await ask('GET', `/v1/folders/${id}`)).toBe(200)
  agent.destroy()
})

test('a document has a name, never a path', async () => {
  const { id, name } = await newFolder()
  const docx = makeDocx(['x'])
  expect((await send(id, '../../x.docx', docx)).body.file_name).toBe(`${name}/x.docx`)
  expect((await send(id, 'a.docx', docx, 'name=..%2F..%2Fetc%2Fb')).body.file_name).toBe(`${name}/b.docx`)
  expect((await send(id, 'a.docx', docx, 'name=..')).status).toBe(422)
  expect((await send(id, 'a.docx', docx, 'name=a%00b')).status).toBe(422)
})
