import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ToolCall, ToolRunner } from '#tools/sandbox/tool-runner.ts'
import { listChildren, runTool, silentLogger, TEST_LIMITS } from '../../../../test/support/tool-call.ts'
import { openPyodideRunner } from './open-pyodide-runner.ts'

const root = mkdtempSync(join(tmpdir(), 'perdure-pyodide-test-'))
const cacheDir = join(root, 'cache')
const options = {
  logger: silentLogger,
  maxConcurrent: 2,
  standbys: 2,
  limits: TEST_LIMITS,
  allowsPrivateAddresses: true,
  cacheDir,
}
let runner: ToolRunner

beforeAll(async () => {
  runner = await openPyodideRunner(options)
})
afterAll(async () => {
  await runner[Symbol.asyncDispose]()
  expect(listChildren('pyodide-runner.mjs')).toEqual([])
  rmSync(root, { recursive: true })
})

const run = (sourceCode: string, call: Partial<ToolCall> = {}) => runTool(runner, { sourceCode, ...call })
const textOf = async (sourceCode: string, call: Partial<ToolCall> = {}) => {
  const result = await run(sourceCode, call)
  return result.status === 'success' ? result.text : `${result.type}: ${result.message} ${result.stderr.join('\n')}`
}

test('functions get their arguments, their environment and the agent', async () => {
  const block = { id: 'block-1', label: 'human', value: 'before', description: null, limit: 100 }
  const source = `
import os
from enum import Enum
class Kind(Enum):
    A = 'a'
async def tool(kind: Kind, agent_state, count: int = 2):
    print('printed')
    agent_state.memory.update_block_value('human', agent_state.memory.get_block('human').value + '!')
    return {'kind': kind.name, 'count': count, 'key': os.environ['KEY'], 'all': sorted(os.environ)}`
  const result = await run(source, {
    args: { kind: 'a', unknown: 1 },
    env: { KEY: 'value' },
    agentState: { id: 'agent-1', name: 'n', description: null, blocks: [block] },
  })
  expect(result).toMatchObject({
    status: 'success',
    text: '{"kind": "A", "count": 2, "key": "value", "all": ["HOME", "KEY", "TMPDIR"]}',
    blocks: { human: 'before!' },
    stdout: ['printed'],
    stderr: [],
  })
})

test('programs have the value of their last expression, and failures their trace', async () => {
  expect(await textOf('import json\nx = json.dumps([1])\nx', { functionName: null })).toBe('[1]')
  const failed = await run('def tool():\n    raise ValueError("so it is")')
  expect(failed).toMatchObject({ status: 'error', kind: 'exception', type: 'ValueError', message: 'so it is' })
  expect(failed.stderr).toEqual([
    'Traceback (most recent call last):',
    '  File "tool.py", line 2, in tool',
    '    raise ValueError("so it is")',
    'ValueError: so it is',
  ])
})

test('what a snapshot would repeat is different in every call', async () => {
  const source = `
import os, random, secrets, tempfile, uuid
def tool():
    return [random.random(), os.urandom(8).hex(), secrets.token_hex(8), str(uuid.uuid4()), tempfile.mktemp(), hash('a')]`
  const [first, second] = [JSON.parse(await textOf(source)), JSON.parse(await textOf(source))]
  const same = first.filter((value: unknown, index: number) => value === second[index])
  // the seed of hashes belongs to the interpreter, which is the snapshot's
  expect(same).toEqual([first[5]])
})

test('too long and too much memory', async () => {
  const limits = { ...TEST_LIMITS, wallMs: 300 }
  expect(await run('def tool():\n    while True: pass', { limits })).toMatchObject({
    status: 'error',
    kind: 'time-out',
  })
  const big = await run('def tool():\n    kept = []\n    while True: kept.append(bytearray(50_000_000))')
  expect(big).toMatchObject({ status: 'error', kind: 'memory' })
})

test('urllib fetches what the policy allows', async () => {
  const listener = createServer((request, response) => {
    const body: Buffer[] = []
    request.on('data', (chunk: Buffer) => body.push(chunk))
    request.on('end', () => {
      const status = request.url === '/missing' ? 404 : 200
      response.writeHead(status, { 'x-header': 'a' }).end(`${request.method} ${Buffer.concat(body)}`)
    })
  }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as AddressInfo
  const source = `
import urllib.request, urllib.error
def tool(base: str):
    with urllib.request.urlopen(base + '/x') as answer:
        first = [answer.status, answer.headers['x-header'], answer.read().decode()]
    second = urllib.request.urlopen(urllib.request.Request(base + '/y', data=b'body', method='PUT')).read().decode()
    try:
        urllib.request.urlopen(base + '/missing')
    except urllib.error.HTTPError as error:
        return [first, second, error.code]`
  const args = { base: `http://127.0.0.1:${port}` }
  const rule = { host: '127.0.0.1', port }
  const network = { kind: 'hosts', hosts: [rule] } as const
  expect(await textOf(source, { args, network })).toBe('[[200, "a", "GET "], "PUT body", 404]')
  expect(await textOf(source, { args })).toMatch(/^URLError|^OSError|^gaierror/)
  const other = { kind: 'hosts', hosts: [{ ...rule, port: port + 1 }] } as const
  expect(await textOf(source, { args, network: other })).toContain('none of the hosts that this tool may connect to')
  listener.close()
})

test('packages are imported from their folder, and nothing is read beside it', async () => {
  const packages = join(root, 'layer')
  mkdirSync(join(packages, 'pure'), { recursive: true })
  writeFileSync(join(packages, 'pure/__init__.py'), 'def twice(x):\n    return 2 * x\n')
  writeFileSync(join(root, 'secret.txt'), 'SECRET')
  const source = `
import os, pure
def tool(path: str):
    import js
    found = []
    for read in [lambda: open('/packages/../../secret.txt').read(), lambda: open(path).read(), lambda: js.Deno.readTextFileSync(path)]:
        try: found.append(read())
        except Exception as error: pass
    return [pure.twice(4), found]`
  expect(await textOf(source, { packages, args: { path: join(root, 'secret.txt') } })).toBe('[8, []]')
  const written = await run(`open('/packages/pure/written.py', 'w')`, { functionName: null, packages })
  expect(written).toMatchObject({ status: 'error', type: 'NotCapable' })
  expect(readdirSync(join(packages, 'pure'))).toEqual(['__init__.py'])
})

test('the snapshot is made once, and kept for the next start', async () => {
  const files = readdirSync(cacheDir)
  expect(files).toEqual([expect.stringMatching(/^pyodide-[0-9a-f]{32}\.snapshot$/)])
  const made = statSync(join(cacheDir, files[0] ?? '')).mtimeMs
  await using again = await openPyodideRunner({ ...options, standbys: 0 })
  expect(await runTool(again, { sourceCode: 'def tool():\n    return 1' })).toMatchObject({
    status: 'success',
    text: '1',
  })
  expect(statSync(join(cacheDir, files[0] ?? '')).mtimeMs).toBe(made)
})
