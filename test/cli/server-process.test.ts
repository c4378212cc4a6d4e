import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const running: ChildProcess[] = []
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perdure-process-'))
})
afterEach(async () => {
  for (const child of running.splice(0)) child.kill('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

test('it listens, answers, logs JSON lines, and SIGTERM ends it with code 0', async () => {
  const server = start({ LETTA_JWT_SECRET: 'hunter22' })
  const address = String((await server.line(/^listening on /)).message).slice('listening on '.length)
  expect((await fetch(`${address}/health`)).status).toBe(200)
  server.child.kill('SIGTERM')
  expect(await server.exit()).toBe(0)
  expect(server.lines).toContainEqual(
    expect.objectContaining({ level: 'warn', message: expect.stringMatching(/^LETTA_JWT_SECRET has no effect/) }),
  )
  expect(server.lines.at(-1)).toMatchObject({ level: 'info', logger: 'perdure', message: 'stopped' })
  expect(JSON.stringify(server.lines)).not.toContain('hunter22')
})

test('a port in use and a data directory in use are told in one line', async () => {
  const first = start()
  await first.line(/^listening on /)
  const second = start()
  expect(await second.exit()).toBe(1)
  expect(second.errors()).toMatch(/^perdure: [^\n]+\n$/)

  const squatter = createServer().listen(0, '127.0.0.1')
  await once(squatter, 'listening')
  const { port } = squatter.address() as { port: number }
  const third = start({ PERDURE_PORT: String(port), PERDURE_DATA_DIR: join(folder, 'other') })
  expect(await third.exit()).toBe(2)
  expect(third.errors()).toMatch(new RegExp(`^perdure: Port ${port} on 127.0.0.1 is in use[^\\n]+\\n$`))
  squatter.close()
})

test.each([
  [
    'a data directory that is a file',
    { PERDURE_DATA_DIR: fileURLToPath(import.meta.url) },
    /data directory .* cannot be used \(EEXIST\): set PERDURE_DATA_DIR/,
  ],
  [
    'a data directory that cannot be made',
    { PERDURE_DATA_DIR: '/proc/nope' },
    /\/proc\/nope cannot be used \(ENOENT\)/,
  ],
  [
    'a database that does not answer',
    { PERDURE_DATABASE_URL: 'postgresql://u:hunter22@127.0.0.1:1/x' },
    /^perdure: PERDURE_DATABASE_URL: the database cannot be reached/,
  ],
])('%s is told in one line', async (_what, env, sentence) => {
  const server = start(env)
  expect(await server.exit()).toBe(1)
  expect(server.errors()).toMatch(sentence)
  expect(server.errors()).toMatch(/^perdure: [^\n]+\n$/)
  expect(server.errors()).not.toContain('hunter22')
})

/** `perdure server` on a free port and a new data directory. */
function start(env: Record<string, string> = {}) {
  const child = spawn(process.execPath, ['bin/perdure.mjs', 'server'], {
    cwd: root,
    env: { HOME: folder, PERDURE_DATA_DIR: join(folder, 'data'), PERDURE_PORT: '0', ...env },
  })
  running.push(child)
  const lines: Record<string, unknown>[] = []
  const reader = createInterface({ input: child.stdout })
  reader.on('line', (line) => lines.push(JSON.parse(line)))
  let errors = ''
  child.stderr.on('data', (data) => {
    errors += String(data)
  })
  const exited = once(child, 'close').then(([code]) => code as number | null)
  return {
    child,
    lines,
    errors: () => errors,
    exit: () => exited,
    /** The first line of the log with such a message. */
    async line(message: RegExp): Promise<Record<string, unknown>> {
      const find = () => lines.find((line) => message.test(String(line.message)))
      for (;;) {
        const found = find()
        if (found !== undefined) return found
        const isOver = await Promise.race([exited.then(() => true), once(reader, 'line').then(() => false)])
        if (isOver && find() === undefined) throw new Error(`the server ended without that line: ${errors}`)
      }
    },
  }
}
