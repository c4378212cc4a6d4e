import { createHash, randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { DEFAULT_ORGANIZATION_ID } from '#platform/ids.ts'
import { type Db, statement } from '#store/db.ts'
import { insertStoredUpload } from '#store/files/stored-uploads.ts'
import { S3_REGION, type S3Operation, type S3Server, startS3Server } from '../../../../test/support/s3-server.ts'
import { openTestDatabase } from '../../../../test/support/test-database.ts'
import { sweepUploads } from '../sweep-uploads.ts'
import { DatabaseStorage } from './database-storage.ts'
import { FolderStorage } from './folder-storage.ts'
import { openStorages } from './open-storages.ts'
import { S3Storage } from './s3-storage.ts'
import {
  StorageUnavailable,
  type UploadKey,
  UploadMissing,
  type UploadStorage,
  type UploadStorages,
} from './upload-storage.ts'

let db: Db
let root: string
let s3: S3Server
beforeAll(async () => {
  db = await openTestDatabase()
  root = await mkdtemp(join(tmpdir(), 'perdure-uploads-'))
  s3 = await startS3Server()
})
afterAll(async () => {
  await s3[Symbol.asyncDispose]()
  await rm(root, { recursive: true, force: true })
  await db[Symbol.asyncDispose]()
})
afterEach(() => {
  s3.fault = () => undefined
})

const countParts = statement('test-count-parts', 'select count(*) as count from file_upload_parts')
const newKey = (): UploadKey => ({ organizationId: DEFAULT_ORGANIZATION_ID, fileId: `file-${randomUUID()}` })
const never = new AbortController().signal

const s3Storage = (over: { secretAccessKey?: string; bucket?: string; idleTimeoutMs?: number } = {}): S3Storage =>
  new S3Storage({
    bucket: over.bucket ?? s3.bucket,
    region: S3_REGION,
    endpoint: s3.url,
    isPathStyle: true,
    prefix: 'of-tests/',
    credentials: { accessKeyId: s3.accessKeyId, secretAccessKey: over.secretAccessKey ?? s3.secretAccessKey },
    idleTimeoutMs: over.idleTimeoutMs ?? 10_000,
    maxAttempts: 2,
  })

/** How much each keeps, whole or half. */
const STORAGES: [string, () => UploadStorage, () => Promise<number>][] = [
  [
    'database',
    () => new DatabaseStorage(db),
    async () => Number((await db.query<{ count: number }>(countParts))[0]?.count),
  ],
  ['folder', () => new FolderStorage(root), async () => (await filesBelow(root)).length],
  ['s3', () => s3Storage(), async () => s3.keys().length + s3.openUploads().length],
]

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

/** Different bytes everywhere, in chunks as a socket has them. */
async function* content(sizeBytes: number, fail?: Error): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < sizeBytes; ) {
    const length = Math.min(sizeBytes - at, 65_536 - (at % 7_919))
    yield Buffer.alloc(length, createHash('sha256').update(String(at)).digest())
    at += length
  }
  if (fail !== undefined) throw fail
}

async function digest(bytes: AsyncIterable<Uint8Array>): Promise<{ size: number; hash: string; largest: number }> {
  const hash = createHash('sha256')
  let size = 0
  let largest = 0
  for await (const chunk of bytes) {
    hash.update(chunk)
    size += chunk.length
    largest = Math.max(largest, chunk.length)
  }
  return { size, hash: hash.digest('hex'), largest }
}

describe.each(STORAGES)('%s', (_name, open, kept) => {
  test.each([0, 1, 65_536, 5 * 1024 * 1024, 5 * 1024 * 1024 + 1, 17_000_000])(
    '%i bytes come back as they were',
    async (size) => {
      const [storage, key] = [open(), newKey()]
      // the database has no row for nothing, and an empty file is a text, which is never stored
      if (size === 0 && storage.kind === 'database')
        return expect(storage.write(key, content(0))).resolves.toBeUndefined()
      await storage.write(key, content(size))
      const read = await digest(storage.read(key, never))
      expect({ size: read.size, hash: read.hash }).toEqual({
        size,
        hash: (await digest(content(size))).hash,
      })
      // never the whole of it in memory
      expect(read.largest).toBeLessThanOrEqual(1024 * 1024)
      await storage.delete(key, false)
      await storage.delete(key, true)
      expect(await kept()).toBe(0)
      await expect(digest(storage.read(key, never))).rejects.toThrow(UploadMissing)
    },
  )

  test.each([100_000, 12_000_000])('an upload that breaks off after %i bytes leaves nothing', async (size) => {
    const [storage, key] = [open(), newKey()]
    const gone = new Error('the client is gone')
    await expect(storage.write(key, content(size, gone))).rejects.toBe(gone)
    expect(await kept()).toBe(0)
    await expect(digest(storage.read(key, never))).rejects.toThrow(UploadMissing)
  })

  test('tenants and files do not meet', async () => {
    const [storage, one, two] = [open(), newKey(), newKey()]
    await storage.write(one, content(1_000))
    await storage.write(two, content(2_000))
    await storage.delete(one, true)
    expect((await digest(storage.read(two, never))).size).toBe(2_000)
    await storage.delete(two, true)
    expect(await kept()).toBe(0)
  })
})

describe('a folder', () => {
  test('takes nothing for a name but ids of the server, and is closed to other users', async () => {
    const storage = new FolderStorage(root)
    for (const fileId of ['../../x', 'file-../../../../../../../../../tmp/xxxxxxxxxx', '/etc/x', 'x\0', '']) {
      const key = { organizationId: DEFAULT_ORGANIZATION_ID, fileId }
      await expect(storage.write(key, content(10))).rejects.toThrow('is no id')
      await expect(storage.write({ organizationId: fileId, fileId: newKey().fileId }, content(10))).rejects.toThrow(
        'is no id',
      )
      await expect(digest(storage.read(key, never))).rejects.toThrow('is no id')
      await expect(storage.delete(key, true)).rejects.toThrow('is no id')
    }
    expect(await filesBelow(root)).toEqual([])
    const [closed, key] = [new FolderStorage(join(root, 'new')), newKey()]
    await closed.open()
    await closed.write(key, content(10))
    const made = join(root, 'new', key.organizationId, key.fileId)
    const modes = await Promise.all(
      [join(root, 'new'), dirname(made), made].map(async (path) => (await stat(path)).mode & 0o777),
    )
    expect(modes).toEqual([0o700, 0o700, 0o600])
    await closed.delete(key, false)
  })

  test('that is away is no lost file', async () => {
    const path = join(root, 'volume')
    const [storage, key] = [new FolderStorage(path), newKey()]
    await storage.open()
    await storage.write(key, content(1_000))
    await rm(path, { recursive: true })
    const failure: unknown = await digest(storage.read(key, never)).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(StorageUnavailable)
    expect((failure as StorageUnavailable).why).toMatch(/^PERDURE_FILE_STORAGE_FOLDER: ENOENT/)
  })

  test('whose place is taken says so, when it is used and at the start', async () => {
    await using resources = new AsyncDisposableStack()
    const key = newKey()
    // who runs these tests may write everywhere, but a folder in the place of the file stands in everybody's way
    await mkdir(join(root, DEFAULT_ORGANIZATION_ID, `${key.fileId}.part`), { recursive: true })
    const failure: unknown = await new FolderStorage(root).write(key, content(10)).catch((error: unknown) => error)
    expect(failure).toMatchObject({ kind: 'unavailable', options: { retryAfterSeconds: 5 } })
    expect(await filesBelow(root)).toEqual([])
    const file = join(root, 'a-file')
    await writeFile(file, '')
    const settings = { current: 'folder', folder: join(file, 'uploads'), s3: undefined } as const
    await expect(openStorages(resources, db, settings)).rejects.toThrow(
      /^PERDURE_FILE_STORAGE_FOLDER: .*a-file.uploads cannot be written to \(ENOTDIR/,
    )
    await rm(file)
  })
})

test('what is in a folder that is not there now is not taken for deleted', async () => {
  const storage = new FolderStorage(join(root, 'not-mounted'))
  await expect(storage.delete(newKey(), false)).rejects.toThrow(StorageUnavailable)
})

describe('s3', () => {
  const faulty = (operation: S3Operation, fault: 'fail' | 'cut' | 'hang', partNumber?: number) => {
    let count = 0
    s3.fault = (asked, request) => {
      if (asked !== operation || (partNumber !== undefined && request.partNumber !== partNumber)) return undefined
      count += 1
      return fault
    }
    return () => count
  }

  test.each([
    ['put', 'fail', 1_000],
    ['put', 'cut', 1_000],
    ['put', 'hang', 1_000],
    ['create', 'fail', 12_000_000],
    ['part', 'fail', 12_000_000],
    ['part', 'cut', 12_000_000],
    ['part', 'hang', 12_000_000],
    ['complete', 'fail', 12_000_000],
  ] as const)('%s that answers with %s: unavailable, and nothing is kept', async (operation, fault, size) => {
    const happened = faulty(operation, fault, operation === 'part' ? 2 : undefined)
    const failure: unknown = await s3Storage({ idleTimeoutMs: fault === 'hang' ? 1_500 : 10_000 })
      .write(newKey(), content(size))
      .catch((error: unknown) => error)
    expect(failure).toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('the bucket of uploads does not work'),
    })
    expect(happened()).toBe(2)
    expect([s3.keys(), s3.openUploads()]).toEqual([[], []])
  })

  test('one failure is tried again', async () => {
    let count = 0
    s3.fault = (operation, { partNumber }) =>
      operation === 'part' && partNumber === 2 && ++count === 1 ? 'fail' : undefined
    const [storage, key] = [s3Storage(), newKey()]
    await storage.write(key, content(12_000_000))
    expect(count).toBe(2)
    expect((await digest(storage.read(key, never))).size).toBe(12_000_000)
    await storage.delete(key, false)
  })

  test('what a process leaves that dies in the middle of it goes with the sweep', async () => {
    const [storage, key] = [s3Storage(), newKey()]
    s3.fault = (operation, { partNumber }) =>
      operation === 'abort' || (operation === 'part' && partNumber === 2) ? 'fail' : undefined
    await expect(storage.write(key, content(12_000_000))).rejects.toThrow(StorageUnavailable)
    expect(s3.openUploads()).toHaveLength(1)
    s3.fault = () => undefined
    await storage.delete(key, true)
    expect(s3.openUploads()).toEqual([])
  })

  test('an object that cannot be deleted does not keep the sweep from the others', async () => {
    const [storage, stuck, other] = [s3Storage(), newKey(), newKey()]
    for (const key of [stuck, other]) {
      await insertStoredUpload(db, key.organizationId, key.fileId, 's3')
      await storage.write(key, content(10))
    }
    s3.fault = (operation, { key }) => (operation === 'delete' && key.endsWith(stuck.fileId) ? 'fail' : undefined)
    const storages: UploadStorages = { current: storage, find: (kind) => (kind === 's3' ? storage : undefined) }
    await expect(sweepUploads(db, storages, 0)).rejects.toThrow(StorageUnavailable)
    await expect(sweepUploads(db, storages, 0)).rejects.toThrow(StorageUnavailable)
    expect(s3.keys()).toEqual([expect.stringContaining(stuck.fileId)])
    s3.fault = () => undefined
    await sweepUploads(db, storages, 0)
    expect(s3.keys()).toEqual([])
  })

  test('a storage that is in trouble does not keep the sweep from the other one', async () => {
    const [storage, inFolder, inS3] = [s3Storage(), newKey(), newKey()]
    await insertStoredUpload(db, inFolder.organizationId, inFolder.fileId, 'folder')
    await insertStoredUpload(db, inS3.organizationId, inS3.fileId, 's3')
    await storage.write(inS3, content(10))
    const folder: UploadStorage = {
      kind: 'folder',
      write: () => Promise.reject(new Error('not written to')),
      read: () => {
        throw new Error('not read')
      },
      delete: () => Promise.reject(new StorageUnavailable('folder', new Error('the volume is away'))),
    }
    const storages: UploadStorages = { current: storage, find: (kind) => (kind === 'folder' ? folder : storage) }
    await expect(sweepUploads(db, storages, 0)).rejects.toThrow(StorageUnavailable)
    expect(s3.keys()).toEqual([])
    await db.query(statement('test-forget-upload', 'delete from stored_uploads where file_id = $1'), [inFolder.fileId])
  })

  test('a server that does not list uploads in parts is no obstacle', async () => {
    const [storage, key] = [s3Storage(), newKey()]
    await storage.write(key, content(10))
    let count = 0
    s3.fault = (operation) => {
      if (operation !== 'list-uploads') return undefined
      count += 1
      return 'unknown'
    }
    await storage.delete(key, true)
    expect([count, s3.keys()]).toEqual([1, []])
  })

  test.each(['fail', 'cut', 'hang'] as const)(
    'get that answers with %s: unavailable, never half of it',
    async (fault) => {
      const [storage, key] = [s3Storage({ idleTimeoutMs: fault === 'hang' ? 1_500 : 10_000 }), newKey()]
      await storage.write(key, content(1_000_000))
      faulty('get', fault)
      await expect(digest(storage.read(key, never))).rejects.toThrow(StorageUnavailable)
      s3.fault = () => undefined
      await storage.delete(key, false)
    },
  )

  test('a reader that is stopped hears its own reason', async () => {
    const [storage, key] = [s3Storage(), newKey()]
    await storage.write(key, content(1_000))
    faulty('get', 'hang')
    const stop = new AbortController()
    const reading = digest(storage.read(key, stop.signal))
    setTimeout(() => stop.abort(new Error('stopped')), 100)
    await expect(reading).rejects.toThrow('stopped')
    s3.fault = () => undefined
    await storage.delete(key, false)
  })

  test.each([
    ['a wrong key', { secretAccessKey: 'wrong-secret' }, /SignatureDoesNotMatch/],
    ['a bucket that is not there', { bucket: 'nowhere' }, /NoSuchBucket/],
  ])('%s is told to the operator, without keys', async (_what, over, why) => {
    const storage = s3Storage(over)
    const failure: unknown = await storage.write(newKey(), content(10)).catch((error: unknown) => error)
    if (!(failure instanceof StorageUnavailable)) throw new Error('it did not fail')
    expect(failure.why).toMatch(why)
    const told = JSON.stringify([
      failure.message,
      failure.stack,
      failure.options,
      failure.why,
      Object.entries(failure.cause as object),
    ])
    expect(told).not.toContain(s3.secretAccessKey)
    expect(told).not.toContain(s3.accessKeyId)
    expect(told).not.toContain('wrong-secret')
  })
})
