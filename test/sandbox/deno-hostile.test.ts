import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDenoRunner } from '#tools/sandbox/deno/open-deno-runner.ts'
import type { ToolRunner } from '#tools/sandbox/tool-runner.ts'
import { listChildren, runTool, silentLogger, TEST_LIMITS } from '../support/tool-call.ts'
import {
  type Attack,
  FILE_ATTACKS,
  NETWORK_ATTACKS,
  OUTPUT_ATTACKS,
  RESOURCE_ATTACKS,
  SYSTEM_ATTACKS,
} from './hostile-typescript.ts'

const SCRIPT = 'typescript-runner.mjs'
const STANDBYS = 2
const SECRET = 'a file of the server'
const folder = mkdtempSync(join(tmpdir(), 'perdure-hostile-'))
const file = join(folder, 'secret.txt')
let runner: ToolRunner
let listener: Server
let connections = 0

beforeAll(async () => {
  writeFileSync(file, SECRET)
  listener = createServer((socket) => {
    connections += 1
    socket.end()
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  runner = await openDenoRunner({
    logger: silentLogger,
    maxConcurrent: 2,
    standbys: STANDBYS,
    limits: TEST_LIMITS,
    allowsPrivateAddresses: false,
  })
})

afterAll(async () => {
  await runner[Symbol.asyncDispose]()
  listener.close()
  rmSync(folder, { recursive: true })
  expect(listChildren(SCRIPT)).toEqual([])
})

async function attack({ source, limits, check }: Attack): Promise<void> {
  const { port } = listener.address() as { port: number }
  const sourceCode = source
    .replaceAll('PORT', String(port))
    .replaceAll('FILE', file)
    .replaceAll('RUNNER', new URL('../../src/tools/sandbox/deno/runner-channel.mjs', import.meta.url).href)
  const result = await runTool(runner, { sourceCode, limits: { ...TEST_LIMITS, ...limits } })
  check(result)
  expect(readFileSync(file, 'utf8')).toBe(SECRET)
  expect(connections).toBe(0)
  for (const made of ['/tmp/perdure-hostile', '/tmp/perdure-hostile.db', '/tmp/perdure-link', '/tmp/perdure-heap']) {
    expect(existsSync(made), made).toBe(false)
  }
  // and the next call is as if nothing had been
  const next = await runTool(runner, { sourceCode: 'export const tool = () => 40 + 2' })
  expect(next).toMatchObject({ status: 'success', text: '42', stdout: [], stderr: [] })
  await expect.poll(() => listChildren(SCRIPT).length).toBeLessThanOrEqual(STANDBYS)
}

describe.each([
  ['files', FILE_ATTACKS],
  ['the system', SYSTEM_ATTACKS],
  ['the network', NETWORK_ATTACKS],
  ['resources', RESOURCE_ATTACKS],
  ['output', OUTPUT_ATTACKS],
])('attacks on %s', (_, attacks) => {
  test.each(attacks.map((each) => [each.name, each] as const))('%s', async (_name, each) => {
    await attack(each)
  })
})

test('the listener of these tests would have noticed a connection', async () => {
  const { port } = listener.address() as { port: number }
  await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined)
  expect(connections).toBe(1)
  connections = 0
})

test('two calls at once do not hear each other', async () => {
  const listen = `export const tool = () => new Promise((done) => {
    const channel = new BroadcastChannel('perdure'); channel.onmessage = (event) => done('heard ' + event.data)
    setTimeout(() => done('nothing'), 1500) })`
  const speak = `export const tool = () => new Promise((done) => {
    const channel = new BroadcastChannel('perdure'); let n = 0
    const timer = setInterval(() => { channel.postMessage('secret'); if (++n > 20) { clearInterval(timer); done('spoke') } }, 50) })`
  const [heard, spoke] = await Promise.all([
    runTool(runner, { sourceCode: listen }),
    runTool(runner, { sourceCode: speak }),
  ])
  expect(spoke).toMatchObject({ status: 'success', text: 'spoke' })
  expect(heard).toMatchObject({ status: 'success', text: 'nothing' })
})
