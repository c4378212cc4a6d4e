import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '#platform/ids.ts'
import { multipartFile } from '../support/multipart.ts'
import { createTestAgent } from '../support/test-agent.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

interface Folder {
  id: string
  name: string
  [field: string]: unknown
}
interface File {
  id: string
  file_name: string
  [field: string]: unknown
}

let server: TestServer
let foreign: { headers: Record<string, string> }
beforeAll(async () => {
  server = await startTestServer()
  foreign = await server.addOrganization()
})
afterAll(() => server.close())

let number = 0
async function create(body: Record<string, unknown> = {}): Promise<Folder> {
  number += 1
  const response = await server.request<Folder>('POST', '/v1/folders/', { name: `folder ${number}`, ...body })
  expect(response.status, JSON.stringify(response.body)).toBe(200)
  return response.body
}

async function send(
  folderId: string,
  fileName: string,
  content: string | Uint8Array,
  {
    query = '',
    mediaType,
    headers = {},
  }: { query?: string; mediaType?: string; headers?: Record<string, string> } = {},
) {
  const form = multipartFile(fileName, content, mediaType === undefined ? {} : { mediaType })
  return server.request<File>('POST', `/v1/folders/${folderId}/upload?${query}`, form.payload, {
    ...form.headers,
    ...headers,
  })
}
async function upload(folderId: string, fileName: string, content: string | Uint8Array = 'some text', query = '') {
  const response = await send(folderId, fileName, content, { query })
  expect(response.status, JSON.stringify(response.body)).toBe(200)
  return response.body
}
const contentOf = async (folderId: string, fileId: string) =>
  (await server.request<File>('GET', `/v1/folders/${folderId}/files/${fileId}?include_content=true`)).body.content
const names = async (path: string) => (await server.request<Folder[]>('GET', path)).body.map((item) => item.name)

describe('folders', () => {
  test('every field comes back, without an embedding too', async () => {
    const folder = await create({ name: 'Handbook', description: 'd', instructions: 'i', metadata: { a: 1 } })
    expect(folder).toEqual({
      id: expect.stringMatching(/^source-/),
      name: 'Handbook',
      description: 'd',
      instructions: 'i',
      metadata: { a: 1 },
      embedding_config: null,
      created_by_id: 'user-00000000-0000-4000-8000-000000000000',
      last_updated_by_id: 'user-00000000-0000-4000-8000-000000000000',
      created_at: expect.any(String),
      updated_at: expect.any(String),
    })
    expect((await server.request('GET', `/v1/folders/${folder.id}`)).body).toEqual(folder)
    const byName = await server.request<string>('GET', '/v1/folders/name/Handbook')
    expect(byName.body).toBe(folder.id)
    expect((await server.request('GET', `/v1/sources/${folder.id}`)).body).toEqual({
      ...folder,
      vector_db_provider: 'native',
    })
    expect((await server.request('GET', '/v1/folders/name/nobody')).status).toBe(404)
    expect((await server.request('GET', '/v1/folders/name/Handbook', undefined, foreign.headers)).status).toBe(404)
  })

  test('an embedding by its handle', async () => {
    const folder = await create({ embedding: 'openai/text-embedding-3-small' })
    expect(folder.embedding_config).toMatchObject({ embedding_model: 'text-embedding-3-small' })
    const cleared = await server.request('PATCH', `/v1/folders/${folder.id}`, { embedding_config: null })
    expect(cleared.body).toMatchObject({ embedding_config: null })
  })

  test('a name is taken once in an organisation', async () => {
    const { id, name } = await create()
    const refused = await server.request('POST', '/v1/folders/', { name })
    expect([refused.status, refused.headers['x-should-retry']]).toEqual([409, 'false'])
    const other = await create()
    expect((await server.request('PATCH', `/v1/folders/${other.id}`, { name })).status).toBe(409)
    expect((await server.request('PATCH', `/v1/folders/${id}`, { name })).status).toBe(200)
    expect((await server.request('POST', '/v1/folders/', { name }, foreign.headers)).status).toBe(200)
  })

  test('a change keeps what is not said, and null clears', async () => {
    const { id, name } = await create({ description: 'd', instructions: 'i', metadata: { a: 1 } })
    const modify = async (body: unknown) => (await server.request<Folder>('PATCH', `/v1/folders/${id}`, body)).body
    expect(await modify({ description: 'e' })).toMatchObject({ name, description: 'e', instructions: 'i' })
    expect(await modify({ name: null, instructions: null, metadata: null })).toMatchObject({
      name,
      description: 'e',
      instructions: null,
      metadata: null,
    })
  })

  test('lists in pages under both names, and the count', async () => {
    const { headers } = await server.addOrganization()
    const ask = <Body>(path: string) => server.request<Body>('GET', path, undefined, headers)
    expect((await ask('/v1/folders/count')).body).toBe(0)
    const ids = []
    for (const name of ['a', 'b', 'c']) {
      ids.push((await server.request<Folder>('POST', '/v1/sources', { name }, headers)).body.id)
    }
    const list = async (query: string) => (await ask<Folder[]>(`/v1/folders?${query}`)).body.map((item) => item.name)
    expect(await list('')).toEqual(['a', 'b', 'c'])
    expect(await list('order=desc&limit=2')).toEqual(['c', 'b'])
    expect(await list(`after=${ids[0]}&limit=1`)).toEqual(['b'])
    expect(await list(`before=${ids[2]}&limit=1`)).toEqual(['b'])
    expect(await list('name=b')).toEqual(['b'])
    expect((await ask<Folder[]>('/v1/sources/')).body.map((item) => item.id)).toEqual(ids)
    expect((await ask('/v1/sources/count')).body).toBe(3)
    expect((await ask(`/v1/folders?after=${newId('source')}`)).status).toBe(404)
    expect(await names('/v1/folders?name=b')).toEqual([])
  })

  test('numbers of an organisation, not taken for an id', async () => {
    const { headers } = await server.addOrganization()
    const { id } = (await server.request<Folder>('POST', '/v1/folders', { name: 'one' }, headers)).body
    await server.request('POST', '/v1/folders', { name: 'empty' }, headers)
    const file = await send(id, 'a.txt', 'four', { headers })
    expect((await server.request('GET', '/v1/folders/metadata', undefined, headers)).body).toEqual({
      total_sources: 2,
      total_files: 1,
      total_size: 4,
      sources: [],
    })
    const detailed = await server.request<{ sources: unknown[] }>(
      'GET',
      '/v1/sources/metadata?include_detailed_per_source_metadata=true',
      undefined,
      headers,
    )
    expect(detailed.body.sources).toEqual([
      {
        source_id: id,
        source_name: 'one',
        file_count: 1,
        total_size: 4,
        files: [{ file_id: file.body.id, file_name: 'one/a.txt', file_size: 4 }],
      },
      { source_id: expect.any(String), source_name: 'empty', file_count: 0, total_size: 0, files: [] },
    ])
  })

  test('delete takes the files', async () => {
    const { id } = await create()
    await upload(id, 'a.txt')
    const deleted = await server.request('DELETE', `/v1/folders/${id}`)
    expect([deleted.status, deleted.body]).toEqual([200, null])
    expect((await server.request('DELETE', `/v1/folders/${id}`)).status).toBe(404)
    expect((await server.request('GET', `/v1/folders/${id}/files`)).status).toBe(404)
  })

  test.each([{}, { name: '' }, { name: 1 }, { name: 'x'.repeat(256) }, { name: 'x', metadata: 'y' }])(
    '422 for %j',
    async (body) => {
      expect((await server.request('POST', '/v1/folders', body)).status).toBe(422)
    },
  )
})

describe('files', () => {
  test('what is uploaded comes back, with its text when asked', async () => {
    const { id, name } = await create()
    const text = '# Title\r\n\r\nfirst line\nsecond line 🐙\n'
    const file = await upload(id, 'notes.md', text)
    expect(file).toEqual({
      id: expect.stringMatching(/^file-/),
      source_id: id,
      file_name: `${name}/notes.md`,
      original_file_name: 'notes.md',
      file_path: null,
      file_type: 'application/octet-stream',
      file_size: Buffer.byteLength(text),
      file_creation_date: null,
      file_last_modified_date: null,
      processing_status: 'completed',
      error_message: null,
      total_chunks: 1,
      chunks_embedded: 1,
      content: null,
      created_at: expect.any(String),
      updated_at: expect.any(String),
    })
    expect((await server.request('GET', `/v1/folders/${id}/files/${file.id}`)).body).toEqual(file)
    expect(await contentOf(id, file.id)).toBe(text)
    expect((await server.request<File[]>('GET', `/v1/sources/${id}/files`)).body).toEqual([file])
    const listed = await server.request<File[]>('GET', `/v1/folders/${id}/files?include_content=true`)
    expect(listed.body[0]?.content).toBe(text)
  })

  test('a file is called by the name that its folder has now', async () => {
    const { id } = await create()
    const file = await upload(id, 'a.txt')
    await server.request('PATCH', `/v1/folders/${id}`, { name: 'Renamed' })
    const { body } = await server.request<File>('GET', `/v1/folders/${id}/files/${file.id}`)
    expect(body.file_name).toBe('Renamed/a.txt')
  })

  test.each([
    ['../../etc/x.txt', 'x.txt'],
    ['..\\\\..\\\\y.txt', 'y.txt'],
    ['Dockerfile', 'Dockerfile'],
  ])('the name %s is a name, never a path', async (given, expected) => {
    const { id, name } = await create()
    expect((await upload(id, given)).file_name).toBe(`${name}/${expected}`)
  })

  test('another name, which gets the ending that it lacks', async () => {
    const { id, name } = await create()
    expect((await upload(id, 'a.py', 'x', 'name=../b.py')).file_name).toBe(`${name}/b.py`)
    expect(await upload(id, 'a.py', 'x', 'name=c')).toMatchObject({
      file_name: `${name}/c.py`,
      original_file_name: 'a.py',
    })
  })

  test('a name that is taken', async () => {
    const { id, name } = await create()
    const first = await upload(id, 'a.b.txt', 'one')
    expect((await upload(id, 'a.b.txt', 'two')).file_name).toBe(`${name}/a.b_(1).txt`)
    expect((await upload(id, 'a.b.txt', 'three')).file_name).toBe(`${name}/a.b_(2).txt`)
    const refused = await send(id, 'a.b.txt', 'four', { query: 'duplicate_handling=error' })
    expect(refused.status).toBe(400)
    expect(refused.body).toMatchObject({ detail: expect.stringContaining('INVALID_ARGUMENT') })
    const skipped = await send(id, 'a.b.txt', 'five', { query: 'duplicate_handling=skip' })
    expect([skipped.body.id, skipped.headers['x-upload-result']]).toEqual([first.id, 'skipped'])
    expect(await contentOf(id, first.id)).toBe('one')
    const replaced = await send(id, 'a.b.txt', 'six', { query: 'duplicate_handling=replace' })
    expect([replaced.body.file_name, replaced.headers['x-upload-result']]).toEqual([`${name}/a.b.txt`, undefined])
    expect(await contentOf(id, replaced.body.id)).toBe('six')
    expect((await server.request('GET', `/v1/folders/${id}/files/${first.id}`)).status).toBe(404)
    expect((await server.request<File[]>('GET', `/v1/folders/${id}/files`)).body.length).toBe(3)
  })

  test('many at once with one name all find a place', async () => {
    const { id } = await create()
    const files = await Promise.all(Array.from({ length: 6 }, (_, index) => upload(id, 'same.txt', `text ${index}`)))
    expect(new Set(files.map((file) => file.file_name)).size).toBe(6)
  })

  test('what is no UTF-8 becomes text that can be stored', async () => {
    const { id } = await create()
    const broken = await upload(id, 'broken.txt', Buffer.from([0x61, 0xff, 0x00, 0x62]))
    expect(await contentOf(id, broken.id)).toBe('a\uFFFD\uFFFDb')
    const utf16 = await upload(id, 'utf16.txt', Buffer.from('\uFEFFgrüße', 'utf16le'))
    expect(await contentOf(id, utf16.id)).toBe('grüße')
    const western = await upload(id, 'western.txt', Buffer.from('Gr\xfc\xdfe \x96 10 \x80', 'latin1'))
    expect(await contentOf(id, western.id)).toBe('Grüße – 10 €')
    const damaged = Buffer.concat([Buffer.from('grüße'), Buffer.from([0xff])])
    expect(await contentOf(id, (await upload(id, 'damaged.txt', damaged)).id)).toBe('grüße\uFFFD')
    const empty = await upload(id, 'empty.txt', '')
    expect([await contentOf(id, empty.id), empty.total_chunks]).toEqual(['', 0])
  })

  test.each([
    ['report.odt', 'application/pdf'],
    ['letter.docm', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
    ['letter.doc', 'text/plain'],
    ['picture.png', 'text/plain'],
    ['thing.unknown', 'application/octet-stream'],
    ['nothing', 'application/x-nothing'],
  ])('415 for %s as %s, with what can be read', async (fileName, mediaType) => {
    const { id } = await create()
    const refused = await send(id, fileName, 'x', { mediaType })
    expect(refused.status).toBe(415)
    expect(refused.body).toMatchObject({ detail: expect.stringMatching(/pdf, docx, pptx, xlsx, txt, md,.*sql/) })
    expect((await server.request('GET', `/v1/folders/${id}/files`)).body).toEqual([])
  })

  test('a text without an ending that is known is taken by its media type', async () => {
    const { id } = await create()
    expect((await send(id, 'NOTES', 'x', { mediaType: 'text/plain' })).status).toBe(200)
    expect((await send(id, 'a.geojson', '{}', { mediaType: 'application/json' })).status).toBe(200)
  })

  test('413 above 50 MB, and nothing is kept', async () => {
    const { id } = await create()
    const refused = await send(id, 'large.txt', Buffer.alloc(50 * 1024 * 1024 + 1, 'a'))
    expect(refused.status).toBe(413)
    expect((await server.request('GET', `/v1/folders/${id}/files`)).body).toEqual([])
  })

  test('forms without a file, or none at all', async () => {
    const { id } = await create()
    const path = `/v1/folders/${id}/upload`
    const wrongField = multipartFile('a.txt', 'x', { field: 'other' })
    expect((await server.request('POST', path, wrongField.payload, wrongField.headers)).status).toBe(422)
    expect((await server.request('POST', path, { file: 'x' })).status).toBe(422)
    const torn = multipartFile('a.txt', 'x')
    expect((await server.request('POST', path, torn.payload.subarray(0, 60), torn.headers)).status).toBe(400)
    const unnamed = { ...torn.headers, 'content-type': 'multipart/form-data' }
    expect((await server.request('POST', path, torn.payload, unnamed)).status).toBe(400)
    expect((await send(id, 'a.txt', 'x', { query: 'duplicate_handling=guess' })).status).toBe(422)
    expect((await send(id, 'a.txt', 'x', { query: `name=${'n'.repeat(256)}` })).status).toBe(422)
  })

  test('passages are whole lines with their place in the file', async () => {
    const { id, name } = await create()
    const lines = Array.from({ length: 200 }, (_, index) => `line ${index + 1} of the story`)
    const file = await upload(id, 'story.txt', lines.join('\n'))
    const passages = (
      await server.request<{ text: string; file_name: string; metadata: { start_line: number; end_line: number } }[]>(
        'GET',
        `/v1/folders/${id}/passages?order=asc`,
      )
    ).body
    expect(passages.length).toBe(file.total_chunks)
    expect(passages.length).toBeGreaterThan(2)
    expect(passages.map((passage) => passage.text).join('\n')).toBe(lines.join('\n'))
    expect(passages.every((passage) => passage.file_name === `${name}/story.txt`)).toBe(true)
    for (const { text, metadata } of passages) {
      expect(text).toBe(lines.slice(metadata.start_line - 1, metadata.end_line).join('\n'))
    }
    expect((await server.request('GET', `/v1/sources/${id}/passages?limit=1`)).body).toHaveLength(1)
  })

  test('lists in pages, newest first', async () => {
    const { id } = await create()
    const ids = []
    for (const name of ['a.txt', 'b.txt', 'c.txt']) ids.push((await upload(id, name)).id)
    const list = async (query: string) =>
      (await server.request<File[]>('GET', `/v1/folders/${id}/files?${query}`)).body.map((file) => file.id)
    expect(await list('')).toEqual(ids.toReversed())
    expect(await list(`after=${ids[2]}&limit=1`)).toEqual([ids[1]])
    expect(await list('order=asc&limit=2')).toEqual(ids.slice(0, 2))
    expect((await server.request('GET', `/v1/folders/${id}/files?after=${newId('file')}`)).status).toBe(404)
  })

  test('delete', async () => {
    const { id } = await create()
    const { id: other } = await create()
    const file = await upload(id, 'a.txt')
    expect((await server.request('DELETE', `/v1/folders/${other}/${file.id}`)).status).toBe(404)
    const deleted = await server.request('DELETE', `/v1/folders/${id}/${file.id}`)
    expect([deleted.status, deleted.body]).toEqual([204, ''])
    expect((await server.request('DELETE', `/v1/folders/${id}/${file.id}`)).status).toBe(404)
    expect((await server.request('GET', `/v1/folders/${id}/passages`)).body).toEqual([])
  })
})

test('the agents of a folder are ids', async () => {
  const { id } = await create()
  const agentId = await createTestAgent(server.context.db, server.context.models)
  await server.request('PATCH', `/v1/agents/${agentId}/folders/attach/${id}`)
  expect((await server.request('GET', `/v1/folders/${id}/agents`)).body).toEqual([agentId])
  expect((await server.request('GET', `/v1/sources/${id}/agents`)).body).toEqual([agentId])
})

describe('refusals', () => {
  test.each<['GET' | 'POST' | 'PATCH' | 'DELETE', string, unknown]>([
    ['GET', 'ID', undefined],
    ['PATCH', 'ID', { description: 'x' }],
    ['DELETE', 'ID', undefined],
    ['GET', 'ID/agents', undefined],
    ['GET', 'ID/files', undefined],
    ['GET', 'ID/passages', undefined],
    ['GET', 'ID/files/FILE', undefined],
    ['DELETE', 'ID/FILE', undefined],
    ['POST', 'ID/upload', 'form'],
  ])('%s %s: unknown, malformed, of somebody else', async (method, path, body) => {
    const { id } = await create()
    const file = await upload(id, 'a.txt')
    const form = multipartFile('a.txt', 'x')
    for (const base of ['folders', 'sources']) {
      const at = (folderId: string, headers: Record<string, string> = {}) => {
        const url = `/v1/${base}/${path.replace('ID', folderId).replace('FILE', file.id)}`
        return body === 'form'
          ? server.request(method, url, form.payload, { ...form.headers, ...headers })
          : server.request(method, url, body, headers)
      }
      expect((await at(newId('source'))).status).toBe(404)
      expect((await at('source-1')).status).toBe(422)
      const unknown = newId('source')
      const theirs = await at(id, foreign.headers)
      const nobodys = await at(unknown, foreign.headers)
      expect(theirs.status).toBe(404)
      expect(JSON.stringify(theirs.body).replaceAll(id, '')).toBe(JSON.stringify(nobodys.body).replaceAll(unknown, ''))
    }
    expect(await contentOf(id, file.id)).toBe('some text')
    if (path.includes('FILE')) {
      const url = (fileId: string) => `/v1/folders/${path.replace('ID', id).replace('FILE', fileId)}`
      expect((await server.request(method, url(newId('file')))).status).toBe(404)
      expect((await server.request(method, url('file-1'))).status).toBe(422)
    }
  })
})
