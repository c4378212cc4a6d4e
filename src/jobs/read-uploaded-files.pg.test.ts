import { Readable } from 'node:stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { attachFolder } from '#agent/agent-folders.ts'
import { stopJob } from '#agent/remove-job.ts'
import { createArchive } from '#memory/create-archive.ts'
import { createFolder } from '#memory/files/create-folder.ts'
import type { ParserLimits } from '#memory/files/parse/parse-document.ts'
import { readUploadedFile } from '#memory/files/read-uploaded-file.ts'
import { removeFile } from '#memory/files/remove-file.ts'
import { removeFolder } from '#memory/files/remove-folder.ts'
import { DatabaseStorage } from '#memory/files/storage/database-storage.ts'
import { UploadMissing, type UploadStorages } from '#memory/files/storage/upload-storage.ts'
import { type DuplicateHandling, storeFile } from '#memory/files/store-file.ts'
import { sweepUploads } from '#memory/files/sweep-uploads.ts'
import { insertArchivePassages } from '#memory/insert-archive-passages.ts'
import { createLogger } from '#platform/logger.ts'
import { listAgentFileStates } from '#store/agents/agent-file-reader.ts'
import { type Db, statement } from '#store/db.ts'
import { appointEmbeddingModel } from '#store/embeddings/embedding-models.ts'
import { claimTextsToEmbed } from '#store/embeddings/embedding-queue.ts'
import { findFile, listFolderPassages } from '#store/files/file-reader.ts'
import { claimFilesToRead, storePassagesOfFile, storeTextOfFile } from '#store/files/read-file-queue.ts'
import { listJobs } from '#store/jobs/job-reader.ts'
import { makeDocx } from '../../test/support/documents.ts'
import { createTestAgent, TEST_ACTOR } from '../../test/support/test-agent.ts'
import { openTestDatabase } from '../../test/support/test-database.ts'
import { testModelRegistry } from '../../test/support/test-models.ts'
import { FileReader, type FileReaderOptions } from './read-uploaded-files.ts'

let db: Db
let storages: UploadStorages
let folderId: string
beforeEach(async () => {
  db = await openTestDatabase()
  const database = new DatabaseStorage(db)
  storages = { current: database, find: (kind) => (kind === 'database' ? database : undefined) }
  const fields = { description: null, instructions: null, metadata: null, embedding: null }
  folderId = (await createFolder(db, TEST_ACTOR, { name: 'docs', ...fields })).id
})
afterEach(() => db[Symbol.asyncDispose]())

const { organizationId } = TEST_ACTOR
const logger = createLogger({ level: 'silent', format: 'json' })
const LIMITS: ParserLimits = { timeoutMs: 60_000, heapMb: 512, memoryMb: 1024, replyBytes: 200_000_000 }
const readerOf = (over: Partial<FileReaderOptions> = {}) =>
  new FileReader({ db, storages, logger, limits: LIMITS, ...over })
const page = { limit: 1000, order: 'asc' as const }

async function upload(
  fileName: string,
  bytes: Uint8Array = makeDocx([`text of ${fileName}`]),
  duplicateHandling: DuplicateHandling = 'error',
): Promise<string> {
  const content = Readable.from([Buffer.from(bytes)])
  const given = { fileName, mediaType: null, content, name: null, duplicateHandling }
  return (await storeFile({ db, storage: storages.current }, TEST_ACTOR, folderId, given)).file.id
}
const find = (fileId: string) => findFile(db, organizationId, folderId, fileId, true)
const passages = () => listFolderPassages(db, organizationId, folderId, page)
const jobs = () => listJobs(db, organizationId, {}, page)
const countParts = statement('test-count-parts', 'select count(*) as count from file_upload_parts')
const parts = async () => (await db.query<{ count: number }>(countParts))[0]?.count
const makeDue = statement('test-make-due', 'update files set parse_due_at = now() where parse_due_at is not null')
const readQueue = statement(
  'test-read-queue',
  'select parse_attempts, parse_due_at <= now() as is_due from files where parse_due_at is not null',
)

async function readAll(reader: FileReader): Promise<void> {
  await reader.readDue()
  await reader.idle()
}

test('a document waits, is read once by one of two servers, and its bytes are gone', async () => {
  const ids = [await upload('a.docx'), await upload('b.docx'), await upload('c.docx')]
  expect(await find(ids[0] ?? '')).toMatchObject({ processing_status: 'pending', content: null, passage_count: 0 })
  expect((await jobs()).map((job) => job.status)).toEqual(['running', 'running', 'running'])
  expect(await parts()).toBe(3)
  const [one, two] = [readerOf(), readerOf()]
  await Promise.all([readAll(one), readAll(two)])
  await Promise.all([readAll(one), readAll(two)])
  for (const [index, id] of ids.entries()) {
    const name = 'abc'[index]
    expect(await find(id)).toMatchObject({
      processing_status: 'completed',
      error_message: null,
      content: `text of ${name}.docx`,
      line_count: 1,
      passage_count: 1,
      stored_passage_count: null,
    })
  }
  expect(await passages()).toHaveLength(3)
  expect((await jobs()).map((job) => job.status)).toEqual(['completed', 'completed', 'completed'])
  expect(await parts()).toBe(0)
})

test('a text that is long is read in the background, with its real lines', async () => {
  const lines = Array.from({ length: 90_000 }, (_, index) => (index % 3 === 1 ? '' : `line ${index + 1}`))
  const id = await upload('long.txt', Buffer.from(lines.join('\n')))
  expect(await find(id)).toMatchObject({ processing_status: 'pending', size_bytes: lines.join('\n').length })
  await readAll(readerOf())
  const file = await find(id)
  expect(file).toMatchObject({ processing_status: 'completed', line_count: 90_000, content: lines.join('\n') })
  const stored = await passages()
  expect(file?.passage_count).toBeGreaterThan(250)
  expect(stored.map((passage) => passage.position)).toEqual(
    Array.from({ length: file?.passage_count ?? 0 }, (_, i) => i + 1),
  )
  for (const { start_line, end_line, text } of stored)
    expect(lines.slice(start_line - 1, end_line).join('\n')).toBe(text)
})

test('what an agent remembers is embedded before the rest of a long file, and the start of a file in its turn', async () => {
  const model = { handle: 'test/words', dimensions: 384 }
  await db.transaction((tx) => appointEmbeddingModel(tx, model))
  const claimedFirst = async (limit: number) => {
    const claimed = await claimTextsToEmbed(db, limit, 60_000)
    const names = claimed.map(({ kind, source_id: id }) => `${kind} ${id}`)
    return { memories: claimed.filter(({ kind }) => kind === 'passage').length, names }
  }
  const remember = async (text: string) => {
    const { id } = await createArchive(db, TEST_ACTOR, { name: text, description: null, embedding: null })
    await insertArchivePassages(db, TEST_ACTOR, id, [{ text, tags: [] }])
  }
  const line = 'The harbour opens at six, and the boats leave when the tide is high.\n'
  await upload('long.txt', Buffer.from(line.repeat(9_000)))
  await readAll(readerOf())
  await upload('at-once.txt', Buffer.from(line.repeat(7_000)))
  const stored = await passages()
  expect(stored.length).toBeGreaterThan(500)
  await remember('The cat is called Minka.')
  const firsts = stored.filter(({ position }) => position <= 50)
  expect(firsts).toHaveLength(100)
  const { memories, names } = await claimedFirst(101)
  expect(memories).toBe(1)
  expect(names).toEqual(expect.arrayContaining(firsts.map(({ id }) => `file_passage ${id}`)))
  expect((await claimedFirst(1_000)).names).toHaveLength(stored.length - 100)
})

test('whoever takes over from a server that died begins anew, and the dead one writes no more', async () => {
  const id = await upload('a.docx')
  const [dead] = await claimFilesToRead(db, 1, 60_000)
  if (dead === undefined) throw new Error('nothing was claimed')
  const text = 'half of it'
  expect(await storeTextOfFile(db, dead, { text, lineCount: 1, passageCount: 2 })).toBe(true)
  const half = [{ id: 'passage-1', position: 1, start_line: 1, end_line: 1, text }]
  expect(await storePassagesOfFile(db, dead, half)).toBe(true)
  expect(await find(id)).toMatchObject({ processing_status: 'embedding', passage_count: 2, stored_passage_count: 1 })

  // its lease holds
  await readAll(readerOf())
  expect(await find(id)).toMatchObject({ processing_status: 'embedding' })
  await db.query(makeDue)
  await readAll(readerOf())
  expect(await find(id)).toMatchObject({ processing_status: 'completed', content: 'text of a.docx' })
  expect((await passages()).map((passage) => passage.text)).toEqual(['text of a.docx'])
  expect(await storePassagesOfFile(db, dead, half)).toBe(false)
  const late = readUploadedFile({ db, storages }, dead, new AbortController().signal)
  await expect(late).rejects.toThrow(UploadMissing)
  expect((await passages()).map((passage) => passage.text)).toEqual(['text of a.docx'])
})

test('a file that cannot be read says why, and so does its job', async () => {
  const id = await upload('a.pdf', Buffer.from('%PDF-1.7'))
  await readAll(readerOf())
  const error_message = expect.stringContaining('broken, or no PDF')
  expect(await find(id)).toMatchObject({ processing_status: 'error', error_message, content: null })
  const [job] = await jobs()
  expect(job).toMatchObject({ status: 'failed', completed_at: expect.any(Date), metadata: { error: error_message } })
  expect(await parts()).toBe(0)
})

test('a file that kills its reader three times is given up', async () => {
  const id = await upload('a.docx')
  const reader = readerOf({ limits: { ...LIMITS, timeoutMs: 1 } })
  for (const attempts of [1, 2]) {
    await readAll(reader)
    expect(await db.query(readQueue)).toEqual([{ parse_attempts: attempts, is_due: false }])
    await db.query(makeDue)
  }
  await readAll(reader)
  const error_message = expect.stringMatching(/not be read in 3 attempts: it took longer than 0.001 s to read\. Split/)
  expect(await find(id)).toMatchObject({ processing_status: 'error', error_message })
  expect(await db.query(readQueue)).toEqual([])
})

test('a file that takes the whole server with it three times is given up', async () => {
  const id = await upload('a.docx')
  for (let death = 1; death <= 3; death += 1) {
    expect(await claimFilesToRead(db, 1, 60_000)).toHaveLength(1)
    await db.query(makeDue)
  }
  await readAll(readerOf())
  const error_message = expect.stringContaining('not be read in 3 attempts: the server stopped')
  expect(await find(id)).toMatchObject({ processing_status: 'error', error_message })
})

/** Takes some seconds to read. */
const large = () => Buffer.alloc(20_000_000, 'some line\n')

test('a server that stops gives its files back, and it counts as no attempt', async () => {
  const id = await upload('a.txt', large())
  const reader = readerOf()
  await reader.readDue()
  expect(await find(id)).toMatchObject({ processing_status: 'parsing' })
  await reader[Symbol.asyncDispose]()
  expect(await find(id)).toMatchObject({ processing_status: 'pending' })
  expect(await db.query(readQueue)).toEqual([{ parse_attempts: 0, is_due: true }])
})

test.each([
  ['the file', (id: string) => removeFile(db, organizationId, folderId, id)],
  ['the folder', () => removeFolder(db, organizationId, folderId)],
])('%s is deleted while it is read: the reading ends', async (_what, remove) => {
  const id = await upload('a.txt', large())
  const reader = readerOf({ leaseMs: 300 })
  await reader.readDue()
  expect(await find(id)).toMatchObject({ processing_status: 'parsing' })
  await remove(id)
  await reader.idle()
  expect(await find(id)).toBeUndefined()
  // another server finds what is left
  await readerOf().readDue()
  expect((await jobs()).map((job) => job.status)).toEqual(['cancelled'])
  await sweepUploads(db, storages, 0)
  expect(await parts()).toBe(0)
  expect(await passages()).toEqual([])
})

test('its job is cancelled while it is read: the reading ends', async () => {
  const id = await upload('a.txt', large())
  const reader = readerOf({ leaseMs: 300 })
  await reader.readDue()
  const [job] = await jobs()
  const runs = { cancel: () => Promise.reject(new Error('an upload has no runs')) }
  expect(await stopJob(db, runs, organizationId, job?.id ?? '')).toMatchObject({ status: 'cancelled' })
  await reader.idle()
  const error_message = expect.stringContaining('cancelled')
  expect(await find(id)).toMatchObject({ processing_status: 'error', error_message, content: null })
  expect(await parts()).toBe(0)
})

test('agents see a file when it is read, whenever they got the folder', async () => {
  const models = testModelRegistry()
  const attach = async () => {
    const agentId = await createTestAgent(db, models)
    await attachFolder({ db, models, maxContextWindow: 128_000 }, TEST_ACTOR, agentId, folderId)
    return agentId
  }
  const before = await attach()
  await upload('a.docx')
  await upload('broken.pdf', Buffer.from('x'))
  const between = await attach()
  const seen = async (agentId: string) =>
    (await listAgentFileStates(db, organizationId, agentId)).map((file) => [file.file_name, file.is_open])
  expect([await seen(before), await seen(between)]).toEqual([[], []])
  await readAll(readerOf())
  const after = await attach()
  for (const agentId of [before, between, after]) expect(await seen(agentId)).toEqual([['docs/a.docx', true]])
})

test('a name that is taken, and one that is taken by what is still read', async () => {
  const first = await upload('a.docx')
  await expect(upload('a.docx')).rejects.toThrow('is in folder')
  expect(await upload('a.docx', undefined, 'skip')).toBe(first)
  expect(await parts()).toBe(1)
  const second = await upload('a.docx', makeDocx(['newer']), 'replace')
  expect(await parts()).toBe(1)
  expect(await find(first)).toBeUndefined()
  await readAll(readerOf())
  expect(await find(second)).toMatchObject({ processing_status: 'completed', content: 'newer' })
  expect((await jobs()).map((job) => job.status)).toEqual(['cancelled', 'completed'])
})
