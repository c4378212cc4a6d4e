import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, expect, it } from 'vitest'
import { S3_REGION, startS3Server } from '../support/s3-server.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const home = mkdtempSync(join(tmpdir(), 'perdure-doctor-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

/** Runs `perdure doctor` with only these variables; gives each finding by its subject. */
async function doctor(variables: Record<string, string>) {
  const env = { PATH: process.env.PATH ?? '', HOME: home, ...variables }
  return new Promise<{ code: number; findings: Record<string, { state: string; message: string }> }>((resolve) => {
    execFile(process.execPath, ['bin/perdure.mjs', 'doctor'], { cwd: root, env }, (error, stdout) => {
      const lines = stdout.split('\n').filter((line) => line !== '')
      const findings = lines.map((line) => {
        const [, state = '', subject = '', message = ''] = /^(\w+)\s+(.*?)(?:\s{2,})(.*)$/.exec(line) ?? []
        return [subject, { state, message }] as const
      })
      resolve({ code: error === null ? 0 : Number(error.code), findings: Object.fromEntries(findings) })
    })
  })
}

it('says which level runs tools, and ends with 0 where nothing fails', async () => {
  const { code, findings } = await doctor({})
  expect(code).toBe(0)
  expect(findings).toMatchObject({
    database: { state: 'ok', message: expect.stringMatching(/^embedded, in /) },
    embeddings: { state: 'ok', message: 'perdure/all-MiniLM-L6-v2, 384 dimensions' },
    'storage of uploads': { state: 'ok', message: 'the database' },
    'sandbox, python': { state: 'ok', message: expect.stringMatching(/^cpython: /) },
    'sandbox, typescript': { state: 'ok', message: expect.stringMatching(/^deno: /) },
    'packages of tools': { state: 'off', message: expect.stringMatching(/PERDURE_TOOL_PACKAGES=on/) },
    'MCP over stdio': { state: 'off', message: expect.any(String) },
  })
}, 60_000)

it('says what keeps the better level from being used', async () => {
  const { code, findings } = await doctor({ PERDURE_PYTHON: '/nowhere/python3' })
  expect(code).toBe(0)
  expect(findings['sandbox, python']).toMatchObject({
    state: 'warn',
    message: expect.stringMatching(/^pyodide: .*Not used: cpython: .*\/nowhere\/python3/),
  })
}, 120_000)

it('fails where a level that is required cannot be had, and where the database is not there', async () => {
  const { code, findings } = await doctor({
    PERDURE_PYTHON: '/nowhere/python3',
    PERDURE_PYTHON_SANDBOX: 'cpython',
    PERDURE_TYPESCRIPT_SANDBOX: 'off',
    PERDURE_DATABASE_URL: 'postgresql://nobody:secretword@127.0.0.1:9/none',
    PERDURE_TOOL_PACKAGES: 'on',
    PERDURE_DEFAULT_EMBEDDING: 'nobody/model',
  })
  expect(code).toBe(1)
  expect(findings).toMatchObject({
    database: { state: 'fail', message: expect.stringMatching(/ECONNREFUSED.*PERDURE_DATABASE_URL/) },
    embeddings: { state: 'fail', message: expect.stringMatching(/nobody\/model/) },
    'sandbox, python': { state: 'fail', message: expect.stringMatching(/^none: .*\/nowhere\/python3/) },
    'sandbox, typescript': { state: 'off' },
  })
  expect(JSON.stringify(findings)).not.toContain('secretword')
}, 60_000)

it('says once why there are no vectors, and is read by its first line alone', async () => {
  const down = { PERDURE_DEFAULT_EMBEDDING: 'ollama/none', OLLAMA_BASE_URL: 'http://127.0.0.1:9' }
  const { findings } = await doctor(down)
  expect(findings.embeddings).toEqual({
    state: 'fail',
    message: expect.stringMatching(/^No vectors of ollama\/none: .*\?\. Until then searches go by words\.$/),
  })
  const env = { PATH: process.env.PATH ?? '', HOME: home }
  const command = `"${process.execPath}" bin/perdure.mjs doctor | head -1`
  const { stdout, stderr } = await promisify(execFile)('sh', ['-c', command], { cwd: root, env })
  expect([stdout, stderr]).toEqual([expect.stringMatching(/^ok {3}database .*\n$/), ''])
}, 60_000)

it.runIf(process.env.TEST_DATABASE_URL)(
  'says which PostgreSQL it has found, and why it cannot be used',
  async () => {
    const url = new URL(process.env.TEST_DATABASE_URL ?? '')
    const there = await doctor({ PERDURE_DATABASE_URL: url.href, PERDURE_EMBEDDINGS: 'off' })
    expect(there.findings.database?.message).toMatch(/^PostgreSQL \d+, pgvector \d/)
    url.pathname = '/nowhere'
    const elsewhere = await doctor({ PERDURE_DATABASE_URL: url.href, PERDURE_EMBEDDINGS: 'off' })
    const message = expect.stringMatching(/"nowhere" does not exist.*PERDURE_DATABASE_URL/)
    expect(elsewhere.findings.database).toEqual({ state: 'fail', message })
  },
  60_000,
)

it('stores something where uploads go to, and says what is in the way', async () => {
  const folder = join(home, 'uploads')
  const { findings } = await doctor({ PERDURE_FILE_STORAGE: 'folder', PERDURE_FILE_STORAGE_FOLDER: folder })
  expect(findings['storage of uploads']).toEqual({ state: 'ok', message: `${folder}: written to and read` })
  await using s3 = await startS3Server()
  const bucket = {
    PERDURE_FILE_STORAGE: 's3',
    PERDURE_S3_BUCKET: s3.bucket,
    PERDURE_S3_ENDPOINT: s3.url,
    PERDURE_S3_REGION: S3_REGION,
    PERDURE_S3_ACCESS_KEY_ID: s3.accessKeyId,
    PERDURE_S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
  }
  expect((await doctor(bucket)).findings['storage of uploads']?.message).toBe('the bucket uploads: written to and read')
  expect([s3.requests, s3.keys()]).toEqual([['put', 'get', 'delete'], []])
  const wrong = await doctor({ ...bucket, PERDURE_S3_SECRET_ACCESS_KEY: 'secretword' })
  expect(wrong.code).toBe(1)
  const message = expect.stringMatching(/^S3: SignatureDoesNotMatch: /)
  expect(wrong.findings['storage of uploads']).toEqual({ state: 'fail', message })
  expect(JSON.stringify(wrong)).not.toContain('secretword')
}, 120_000)
