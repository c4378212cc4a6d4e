import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { SandboxUnavailable } from '#tools/sandbox/tool-runner.ts'
import { buildConfinedCommand, type ConfinedProgram } from './build-confined-command.ts'

const run = promisify(execFile)
const NODE = process.execPath

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perdure-confined-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function runConfined(command: string, args: string[], more: Partial<ConfinedProgram> = {}): Promise<string> {
  const built = await buildConfinedCommand({
    command,
    args,
    env: { PATH: `${dirname(NODE)}:/usr/bin:/bin`, HOME: folder, KEY: 'value' },
    readPaths: [dirname(dirname(NODE))],
    writePath: folder,
    allowsNetwork: false,
    memoryBytes: 256 * 1024 * 1024,
    ...more,
  })
  expect(JSON.stringify(built.args)).not.toContain('value')
  const { stdout } = await run(built.command, built.args, { env: built.env, timeout: 30_000 })
  return stdout.trim()
}

/** Each in turn; what works is printed. */
const attempts = (code: string) => `
const fs = require('node:fs'), { execFileSync } = require('node:child_process')
const done = []
const attempt = (name, what) => { try { what(); done.push(name) } catch {} }
${code}
console.log(JSON.stringify(done))`

test('a program runs, in its folder, with its environment alone', async () => {
  const code =
    'fs.writeFileSync("x", "y"); console.log(JSON.stringify([process.cwd(), Object.keys(process.env).sort(), fs.readFileSync("x", "utf8")]))'
  expect(JSON.parse(await runConfined(NODE, ['-e', code]))).toEqual([folder, ['HOME', 'KEY', 'PATH'], 'y'])
})

test('programs of Python and of the shell run, and programs that these start', async () => {
  const code =
    'import subprocess, sys; print(subprocess.check_output(["sh", "-c", "echo one; cat /usr/share/common-licenses/BSD | head -c 0; echo two"]).decode().split())'
  expect(await runConfined('python3', ['-I', '-c', code])).toBe("['one', 'two']")
})

test('it cannot read or write elsewhere, nor signal the server', async () => {
  const code = attempts(`
attempt('passwd', () => fs.readFileSync('/etc/passwd'))
attempt('shell', () => execFileSync('cat', ['/etc/passwd'], { stdio: 'pipe' }))
attempt('sources', () => fs.readdirSync(${JSON.stringify(import.meta.dirname)}))
attempt('environment of the server', () => fs.readFileSync('/proc/${process.pid}/environ'))
attempt('tmp', () => fs.writeFileSync('/tmp/written-by-confined', ''))
attempt('root', () => fs.writeFileSync('/written-by-confined', ''))
attempt('server', () => process.kill(${process.pid}, 0))
attempt('unshare', () => execFileSync('unshare', ['-U', 'true'], { stdio: 'pipe' }))
attempt('owner', () => fs.chownSync('.', 1, 1))
attempt('control', () => execFileSync('true'))`)
  expect(JSON.parse(await runConfined(NODE, ['-e', code]))).toEqual(['control'])
})

test('it connects only where it may', async () => {
  let connections = 0
  const server = createServer((socket) => {
    connections += 1
    socket.end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const code = `require('node:net').connect(${port}, '127.0.0.1').on('connect', () => console.log('connected')).on('error', (e) => console.log('refused')).resume()`
  try {
    expect(await runConfined(NODE, ['-e', code])).toBe('refused')
    expect(connections).toBe(0)
    expect(await runConfined(NODE, ['-e', code], { allowsNetwork: true })).toBe('connected')
    expect(await runConfined(NODE, ['-e', code], { allowsNetwork: [port] })).toBe('connected')
    expect(await runConfined(NODE, ['-e', code], { allowsNetwork: [1] })).toBe('refused')
    expect(connections).toBe(2)
  } finally {
    server.close()
  }
})

test('it gets no more memory than it may', async () => {
  const code =
    'try { const keep = []; for (let i = 0; i < 40; i++) keep.push(Buffer.alloc(100 << 20, 1)); console.log("got it") } catch { console.log("refused") }'
  // V8 can also give up without an exception
  const result = await runConfined(NODE, ['-e', code]).catch(() => 'refused')
  expect(result).toBe('refused')
})

test('a real MCP server starts in it', async () => {
  const root = join(import.meta.dirname, '../../../../node_modules')
  const script = join(root, '@modelcontextprotocol/server-everything/dist/index.js')
  const built = await buildConfinedCommand({
    command: NODE,
    args: [script, 'stdio'],
    env: { PATH: '/usr/bin:/bin' },
    readPaths: [root],
    writePath: folder,
    allowsNetwork: false,
    memoryBytes: 256 * 1024 * 1024,
  })
  const running = execFile(built.command, built.args, { env: built.env })
  const hello = {
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
  }
  running.stdin?.write(`${JSON.stringify(hello)}\n`)
  let said = ''
  running.stdout?.on('data', (chunk) => {
    said += chunk
  })
  try {
    await expect.poll(() => said).toContain('serverInfo')
  } finally {
    running.kill('SIGKILL')
  }
})

test('without what confines there is no program', async () => {
  await expect(runConfined(NODE, [], { pythonPath: '/nowhere/python3' })).rejects.toThrow(SandboxUnavailable)
  await expect(runConfined(NODE, [], { writePath: '/nowhere' })).rejects.toThrow('cannot be confined')
})
