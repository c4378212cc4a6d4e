import { once } from 'node:events'
import { mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { sweepUploads } from '#memory/files/sweep-uploads.ts'
import { statement } from '#store/db.ts'
import { makeDocx } from '../support/documents.ts'
import { multipartFile } from '../support/multipart.ts'
import { S3_REGION, type S3Server, startS3Server } from '../support/s3-server.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

interface File {
  id: string
  processing_status: string
  [field: string]: unknown
}

const HOUR_MS = 3_600_000
const MAX_UPLOAD_BYTES = 12 * 1024 * 1024
let root: string
let s3: S3Server
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'perdure-uploads-'))
  s3 = await startS3Server()
})
afterAll(async () => {
  await s3[Symbol.asyncDispose]()
  await rm(root, { recursive: true, force: true })
})

const filesBelow = async (folder: string) =>
  (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
const noted = statement('test-count-uploads', 'select count(*) as count from stored_uploads')
const parts = statement('test-count-parts', 'select count(*) as count from file_upload_parts')
const age = statement('test-age-uploads', "update stored_uploads set created_at = created_at - interval '2 hours'")
const makeDue = statement(
  'test-make-due',
  "update files set parse_due_at = now(), error_message = null where parse_due_at is not null and processing_status = 'pending'",
)
const attempts = statement('test-read-attempts', 'select parse_attempts from files where id = $1')
const hold = statement(
  'test-hold-files',
  "update files set parse_due_at = now() + interval '1 day', parse_token = null, parse_attempts = 0, processing_status = 'pending' where parse_due_at is not null",
)
const removeOrganization = statement('test-remove-organization', 'delete from organizations where id = $1')

describe.each(['folder', 's3'] as const)('uploads in %s', (kind) => {
  let server: TestServer
  let folderId: string
  beforeAll(async () => {
    server = await startTestServer({
      config: {
        maxUploadBytes: MAX_UPLOAD_BYTES,
        fileStorage: kind,
        fileStorageFolder: join(root, 'uploads'),
        s3Bucket: s3.bucket,
        s3Region: S3_REGION,
        s3Endpoint: s3.url,
        s3AccessKeyId: s3.accessKeyId,
        s3SecretAccessKey: s3.secretAccessKey,
      },
    })
    folderId = (await server.request<{ id: string }>('POST', '/v1/folders', { name: 'docs' })).body.id
  })
  afterAll(() => server.close())
  afterEach(() => {
    s3.fault = () => undefined
  })

  const count = async (what: typeof noted) => Number((await server.context.db.query<{ count: number }>(what))[0]?.count)
  /** Files, objects and halves of them. */
  const kept = async () =>
    kind === 'folder' ? (await filesBelow(join(root, 'uploads'))).length : s3.keys().length + s3.openUploads().length
  const left = async () => [await kept(), await count(noted), await count(parts)]
  async function send(name: string, bytes: Uint8Array, headers = {}, folder = folderId) {
    const form = multipartFile(name, bytes)
    return server.request<File>('POST', `/v1/folders/${folder}/upload`, form.payload, { ...form.headers, ...headers })
  }
  const find = async (id: string) =>
    (await server.request<File>('GET', `/v1/folders/${folderId}/files/${id}?include_content=true`)).body
  const status = (id: string) => async () => (await find(id)).processing_status
  const files = async () => (await server.request<File[]>('GET', `/v1/folders/${folderId}/files`)).body
  const sweep = () => sweepUploads(server.context.db, server.context.uploads, HOUR_MS)
  /** A file that nobody reads, because it is not its turn. */
  async function sendAndHold(headers = {}, folder = folderId): Promise<string> {
    const { body } = await send('held.txt', Buffer.alloc(7_000_000, 'a line\n'), headers, folder)
    await server.context.db.query(hold)
    return body.id
  }

  test('are read, and their bytes are gone', async () => {
    const lines = Array.from({ length: 70_000 }, (_, index) => `line ${index + 1}`).join('\n')
    const sent = [await send('a.docx', makeDocx(['the boat is red'])), await send('long.txt', Buffer.from(lines))]
    expect(sent.map(({ status }) => status)).toEqual([200, 200])
    for (const { body } of sent) await expect.poll(status(body.id), { timeout: 55_000 }).toBe('completed')
    expect((await find(sent[0]?.body.id ?? '')).content).toBe('the boat is red')
    expect((await find(sent[1]?.body.id ?? '')).content).toBe(lines)
    await expect.poll(left).toEqual([0, 0, 0])
  })

  test('that are too large, torn or left leave nothing', async () => {
    const before = (await files()).length
    expect((await send('large.pdf', Buffer.alloc(MAX_UPLOAD_BYTES + 1))).status).toBe(413)
    const form = multipartFile('torn.pdf', Buffer.alloc(9_000_000))
    const path = `/v1/folders/${folderId}/upload`
    const torn = await server.request('POST', path, form.payload.subarray(0, 8_000_000), form.headers)
    expect(torn.status).toBe(400)
    expect(await left()).toEqual([0, 0, 0])

    const { hostname, port } = new URL(await server.baseUrl())
    const sent = request({ hostname, port, method: 'POST', path, headers: { ...form.headers, connection: 'close' } })
    const broken = once(sent, 'error')
    sent.write(form.payload.subarray(0, 8_000_000))
    await expect.poll(async () => (await left())[1], { timeout: 20_000 }).toBe(1)
    sent.destroy(new Error('the client is gone'))
    await broken
    await expect.poll(left, { timeout: 20_000 }).toEqual([0, 0, 0])
    expect(await files()).toHaveLength(before)
  })

  test('of files, folders and tenants that are deleted go with the sweep', async () => {
    const one = await sendAndHold()
    expect((await left()).slice(0, 2)).toEqual([1, 1])
    await sweep()
    expect((await left()).slice(0, 2)).toEqual([1, 1])
    expect((await server.request('DELETE', `/v1/folders/${folderId}/${one}`)).status).toBe(204)
    await sweep()
    expect(await left()).toEqual([0, 0, 0])

    const folder = (await server.request<{ id: string }>('POST', '/v1/folders', { name: 'more' })).body
    await sendAndHold({}, folder.id)
    await server.request('DELETE', `/v1/folders/${folder.id}`)
    const { organizationId, headers } = await server.addOrganization()
    const theirs = (await server.request<{ id: string }>('POST', '/v1/folders', { name: 'theirs' }, headers)).body
    await sendAndHold(headers, theirs.id)
    await server.context.db.query(removeOrganization, [organizationId])
    expect((await left()).slice(0, 2)).toEqual([2, 2])
    await sweep()
    expect(await left()).toEqual([0, 0, 0])
  })

  test('whose server died before they were files go after a grace', async () => {
    const key = {
      organizationId: 'org-00000000-0000-4000-8000-000000000000',
      fileId: 'file-00000000-0000-4000-8000-000000000001',
    }
    const insert = statement(
      'test-insert-upload',
      'insert into stored_uploads (organization_id, file_id, storage) values ($1, $2, $3)',
    )
    await server.context.db.query(insert, [key.organizationId, key.fileId, kind])
    await server.context.uploads.current.write(key, Readable.from([Buffer.from('half of it')]))
    await sweep()
    expect(await left()).toEqual([1, 1, 0])
    await server.context.db.query(age)
    await sweep()
    expect(await left()).toEqual([0, 0, 0])
  })

  test('are not accepted by halves while the storage is down, and say what to do', async () => {
    const before = (await files()).length
    const repair = await (kind === 'folder' ? blockFolder(root) : failS3(s3))
    const { status, body, headers } = await send('a.docx', makeDocx(['the boat is red']))
    expect(status).toBe(503)
    expect(body.detail).toMatch(
      /^The file could not be stored: the (folder|bucket) of uploads does not work .* send it again later/,
    )
    expect(headers['retry-after']).toBe('5')
    expect(await files()).toHaveLength(before)
    await repair()
    await server.context.db.query(age)
    await sweep()
    expect(await left()).toEqual([0, 0, 0])
    expect((await send('short.txt', Buffer.from('read at once'))).body.processing_status).toBe('completed')
  })

  test('wait while the storage is down, as long as it takes, and are read when it is back', async () => {
    const id = await sendAndHold()
    const repair = await (kind === 'folder' ? moveFolder(root) : failS3(s3))
    for (let round = 1; round <= 4; round += 1) {
      await server.context.db.query(makeDue)
      const waits = async () => {
        const { processing_status, error_message } = await find(id)
        return `${processing_status}: ${error_message}`
      }
      const told = /^pending: The storage of uploads does not work at the moment/
      await expect.poll(waits, { timeout: 20_000 }).toMatch(told)
    }
    // they are no fault of the file
    expect(await server.context.db.query(attempts, [id])).toEqual([{ parse_attempts: 0 }])
    await repair()
    await server.context.db.query(makeDue)
    await expect.poll(status(id), { timeout: 55_000 }).toBe('completed')
    expect((await find(id)).error_message).toBeNull()
    await expect.poll(left).toEqual([0, 0, 0])
  })

  test('are read from where they are after the settings changed', async () => {
    const id = await sendAndHold()
    const current = server.context.uploads.find('database')
    if (current === undefined) throw new Error('there is no database')
    const changed = { current, find: server.context.uploads.find.bind(server.context.uploads) }
    Object.assign(server.context, { uploads: changed })
    const other = await send('b.docx', makeDocx(['the boat is blue']))
    expect(await count(noted)).toBe(1)
    await server.context.db.query(makeDue)
    for (const each of [id, other.body.id]) await expect.poll(status(each), { timeout: 55_000 }).toBe('completed')
    await expect.poll(left).toEqual([0, 0, 0])
  })
})

test('a slow bucket is waited for, and the server serves meanwhile', async () => {
  s3.fault = () => 2_000
  const server = await startTestServer({
    config: {
      fileStorage: 's3',
      s3Bucket: s3.bucket,
      s3Region: S3_REGION,
      s3Endpoint: s3.url,
      s3AccessKeyId: s3.accessKeyId,
      s3SecretAccessKey: s3.secretAccessKey,
    },
  })
  const folder = (await server.request<{ id: string }>('POST', '/v1/folders', { name: 'docs' })).body
  const form = multipartFile('a.docx', makeDocx(['the boat is red']))
  let isStored = false
  const sending = server
    .request<File>('POST', `/v1/folders/${folder.id}/upload`, form.payload, form.headers)
    .finally(() => {
      isStored = true
    })
  expect((await server.request('GET', '/v1/folders')).status).toBe(200)
  expect(isStored).toBe(false)
  const { body } = await sending
  const read = async () =>
    (await server.request<File>('GET', `/v1/folders/${folder.id}/files/${body.id}`)).body.processing_status
  await expect.poll(read, { timeout: 55_000 }).toBe('completed')
  s3.fault = () => undefined
  await server.close()
})

async function failS3(server: S3Server): Promise<() => Promise<void>> {
  server.fault = () => 'fail'
  return async () => {
    server.fault = () => undefined
  }
}

/** The volume is away. */
async function moveFolder(root: string): Promise<() => Promise<void>> {
  await rename(join(root, 'uploads'), join(root, 'away'))
  return () => rename(join(root, 'away'), join(root, 'uploads'))
}

/** Nothing can be made where the files of the tenant are to be. */
async function blockFolder(root: string): Promise<() => Promise<void>> {
  const path = join(root, 'uploads')
  await rename(path, join(root, 'away'))
  await writeFile(path, '')
  return async () => {
    await rm(path)
    await rename(join(root, 'away'), path)
  }
}
