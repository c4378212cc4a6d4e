import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { multipartFile } from '../support/multipart.ts'
import { startReplicas } from '../support/replicas.ts'
import { S3_REGION, type S3Server, startS3Server } from '../support/s3-server.ts'
import { createPostgresDatabase, testEngine } from '../support/test-database.ts'

const LINES = 700_000

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

/** The embedded database has one process only. */
describe.skipIf(testEngine() === 'pglite')('two servers with one storage of uploads', () => {
  const settings = (kind: 'folder' | 's3'): Record<string, string> =>
    kind === 'folder'
      ? { PERDURE_FILE_STORAGE: kind, PERDURE_FILE_STORAGE_FOLDER: root }
      : {
          PERDURE_FILE_STORAGE: kind,
          PERDURE_S3_BUCKET: s3.bucket,
          PERDURE_S3_REGION: S3_REGION,
          PERDURE_S3_ENDPOINT: s3.url,
          // as AWS's own tools take them
          AWS_ACCESS_KEY_ID: s3.accessKeyId,
          AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
        }
  const kept = async (kind: 'folder' | 's3') =>
    kind === 's3'
      ? s3.keys().length + s3.openUploads().length
      : (await readdir(root, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).length

  test.each(['folder', 's3'] as const)(
    '%s: one is killed while it reads a file, and the other one reads it',
    async (kind) => {
      const database = await createPostgresDatabase()
      const env = { PERDURE_DATABASE_URL: database.url, ...settings(kind) }
      const [one] = await startReplicas(1, env)
      if (one === undefined) throw new Error('no replica was started')
      const created = await fetch(`${one.url}/v1/folders`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'docs' }),
      })
      const folder = (await created.json()) as { id: string }
      const text = Array.from({ length: LINES }, (_, index) => `line ${index + 1} of a long file`).join('\n')
      const { payload, headers } = multipartFile('long.txt', text)
      const sent = await fetch(`${one.url}/v1/folders/${folder.id}/upload`, {
        method: 'POST',
        headers,
        body: new Uint8Array(payload),
      })
      expect(sent.status).toBe(200)
      const file = (await sent.json()) as { id: string; processing_status: string }
      expect(file.processing_status).toBe('pending')
      const find = async (url: string, query = '') =>
        (await (await fetch(`${url}/v1/folders/${folder.id}/files/${file.id}${query}`)).json()) as {
          processing_status: string
          content: string
        }
      const status = (url: string) => async () => (await find(url)).processing_status
      await expect.poll(status(one.url), { timeout: 30_000, interval: 20 }).toBe('parsing')
      await one.kill()
      expect(await kept(kind)).toBe(1)

      const [two] = await startReplicas(1, env)
      if (two === undefined) throw new Error('no second replica was started')
      expect(await status(two.url)()).toBe('parsing')
      await expect.poll(status(two.url), { timeout: 90_000, interval: 200 }).toBe('completed')
      expect((await find(two.url, '?include_content=true')).content).toBe(text)
      await expect.poll(() => kept(kind)).toBe(0)
      const log = JSON.stringify([...one.log(), ...two.log()])
      expect(log).not.toContain(s3.secretAccessKey)
      expect(await two.stop()).toBe(0)
      await database.remove()
    },
    180_000,
  )
})
