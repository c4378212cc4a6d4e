import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ToolCall, ToolRunner } from '#tools/sandbox/tool-runner.ts'
import { listChildren, runTool, silentLogger, TEST_LIMITS } from '../../../../test/support/tool-call.ts'
import { openDenoRunner } from './open-deno-runner.ts'

const SCRIPT = 'typescript-runner.mjs'
const options = {
  logger: silentLogger,
  maxConcurrent: 4,
  standbys: 2,
  limits: TEST_LIMITS,
  allowsPrivateAddresses: false,
}
let runner: ToolRunner

beforeAll(async () => {
  runner = await openDenoRunner(options)
})
afterAll(async () => {
  await runner[Symbol.asyncDispose]()
  expect(listChildren(SCRIPT)).toEqual([])
})

const run = (sourceCode: string, call: Partial<ToolCall> = {}) => runTool(runner, { sourceCode, ...call })
const textOf = async (sourceCode: string, call: Partial<ToolCall> = {}) => {
  const result = await run(sourceCode, call)
  return result.status === 'success' ? result.text : `${result.type}: ${result.message}`
}

describe('values', () => {
  test.each([
    [`'as it is "quoted"'`, 'as it is "quoted"'],
    ['1.5', '1.5'],
    ['Number.NaN', 'NaN'],
    ['true', 'true'],
    ['undefined', 'null'],
    ['null', 'null'],
    ['12345678901234567890n', '12345678901234567890'],
    ["Symbol('s')", 'Symbol(s)'],
    ["{ a: [1, 'b'], c: null, d: undefined, e: 1n, f: Number.NaN }", '{"a":[1,"b"],"c":null,"e":"1","f":null}'],
    ["new Map([['a', new Set([1, 2])]])", '{"a":[1,2]}'],
    ['new Uint8Array([1, 2])', '[1,2]'],
    ['new Date(0)', '"1970-01-01T00:00:00.000Z"'],
    ["[new RangeError('r')]", '[{"name":"RangeError","message":"r"}]'],
    ['(() => { const a: unknown[] = [1]; a.push({ a }); return a })()', '[1,{"a":"[Circular]"}]'],
    ['(() => { const a = {}; return [a, a] })()', '[{},{}]'],
  ])('%s is %s', async (expression, expected) => {
    expect(await textOf(`export const tool = (): unknown => (${expression})`)).toBe(expected)
  })

  test('a long one is cut, and its whole length told', async () => {
    const limits = { ...TEST_LIMITS, resultChars: 10 }
    const result = await run(`export const tool = () => 'x'.repeat(1000)`, { limits })
    expect(result).toMatchObject({ status: 'success', text: 'xxxxxxxxxx', textLength: 1000 })
  })
})

describe('functions', () => {
  test('get arguments by the names of their parameters, and defaults for the others', async () => {
    const source = `
      enum Kind { A = 'a' }
      export async function tool(b: string, /* c, */ c = ['x', "),"], d?: number, a: Kind = Kind.A): Promise<unknown> {
        return [a, b, c, d === undefined]
      }`
    expect(await textOf(source, { args: { c: ['y'], b: 'B', unknown: 1 } })).toBe('["a","B",["y"],true]')
    expect(await textOf(source, { args: { b: 'B' } })).toBe('["a","B",["x","),"],true]')
  })

  test.each([
    ['export default (x: number) => x + 1'],
    ['export default async function other(x: number) { return x + 1 }'],
    ['export const other = 5; export function last(x: number) { return x + 1 }'],
    ['export const tool = async ({ x }: { x: number }) => x + 1'],
    ['export const tool = async x => x + 1'],
    ['export function tool(x: number, ...rest: unknown[]) { return x + 1 + rest.length }'],
  ])('are found: %s', async (source) => {
    expect(await textOf(source, { args: { x: 1 } })).toMatch(/^2|3$/)
  })

  test('that are not there are named', async () => {
    expect(await textOf('const tool = 1')).toBe(
      "ReferenceError: the source exports no function 'tool'. Write: export function tool(…) { … }",
    )
  })

  test('see their environment, and no other', async () => {
    const source = `import real from 'node:process'
      export const tool = () => [process.env, Deno.env.get('KEY'), Deno.env.toObject(), real.env.KEY, Object.keys(real.env)]`
    const env = { KEY: 'value' }
    expect(await textOf(source, { env })).toBe('[{"KEY":"value"},"value",{"KEY":"value"},"value",["KEY"]]')
  })

  test('read and change blocks of memory when they ask for the agent', async () => {
    const block = { id: 'block-1', label: 'human', value: 'before', description: null, limit: 100 }
    const agentState = { id: 'agent-1', name: 'n', description: null, blocks: [block, { ...block, label: 'other' }] }
    const source = `export function tool(x: string, agentState: any) {
      const before = agentState.memory.getBlock('human').value
      agentState.memory.updateBlockValue('human', before + x)
      return agentState.name + agentState.memory.getBlock('human').value
    }`
    const result = await run(source, { args: { x: '!' }, agentState })
    expect(result).toMatchObject({ status: 'success', text: 'nbefore!', blocks: { human: 'before!' } })
  })
})

describe('programs', () => {
  const program = (sourceCode: string) => run(sourceCode, { functionName: null })

  test.each([
    ['const x: number = 20\nx + 1', '21'],
    ['function twice(x) { return 2 * x }\ntwice(4);', '8'],
    ['const x = await Promise.resolve(2)\nx * 3', '6'],
    ['await Promise.resolve(2); [\n1,\n2]', '[1,2]'],
    ["import { basename } from 'node:path'\nexport default basename('/a/b')", 'b'],
    ['let x = 1', ''],
    ['await 1\nfor (const x of [1]) console.log(x)', ''],
  ])('%j is %s', async (source, text) => {
    expect(await program(source)).toMatchObject({ status: 'success', text })
  })

  test('run once, whatever is tried out to find their value', async () => {
    const result = await program(`console.log('once')\nawait 1\nJSON.parse('{')`)
    expect(result).toMatchObject({ status: 'error', type: 'SyntaxError', stdout: ['once'] })
    const script = await program(`console.log('once')\nJSON.parse('{')`)
    expect(script).toMatchObject({ status: 'error', type: 'SyntaxError', stdout: ['once'] })
  })
})

describe('failures', () => {
  test('say what was thrown, and where in the source', async () => {
    const source = `class Wrong extends Error {}
export function tool() {
  console.log('before %s', 'it', { a: 1 })
  console.error('to stderr')
  throw new Wrong('so it is')
}`
    const result = await run(source)
    expect(result).toMatchObject({ status: 'error', kind: 'exception', type: 'Wrong', message: 'so it is' })
    expect(result.stdout).toEqual(['before it { a: 1 }'])
    expect(result.stderr).toEqual(['to stderr', 'Error: so it is', '    at tool (tool.ts:5:9)'])
  })

  test('of the syntax name the line', async () => {
    const result = await run('export function tool() {\n  let = = 1\n}')
    expect(result).toMatchObject({ status: 'error', kind: 'exception', type: 'SyntaxError' })
    expect(result.stderr[0]).toMatch(/^SyntaxError: Expression expected \(line 2\)$/)
  })

  test('of the compiler itself are those of one source', async () => {
    const broken = await run(`${'('.repeat(50_000)}`)
    expect(broken).toMatchObject({ status: 'error', type: 'SyntaxError' })
    expect(broken.stderr[0]).toContain('cannot be compiled: memory access out of bounds')
    expect(await textOf('export const tool = (x: number) => x', { args: { x: 7 } })).toBe('7')
  })

  test('too long, too much memory', async () => {
    const slow = await run('export const tool = () => new Promise((done) => setTimeout(done, 1e6))', {
      limits: { ...TEST_LIMITS, wallMs: 300 },
    })
    expect(slow).toMatchObject({ status: 'error', kind: 'time-out', type: 'TimeoutError' })
    const busy = await run('export const tool = () => { for (;;); }', { limits: { ...TEST_LIMITS, cpuSeconds: 1 } })
    expect(busy).toMatchObject({
      status: 'error',
      kind: 'time-out',
      message: expect.stringContaining('CPU time'),
    })
    const big = await run('export const tool = () => { const a = []; for (;;) a.push(new Uint8Array(1e7).fill(1)) }')
    expect(big).toMatchObject({ status: 'error', kind: 'memory' })
  })

  test('a promise that never settles ends at once', async () => {
    const result = await run('export const tool = () => new Promise(() => {})')
    expect(result).toMatchObject({ status: 'error', kind: 'died', message: expect.stringContaining('never comes') })
  })
})

describe('calls', () => {
  test('are ended by their signal, running or waiting', async () => {
    await using narrow = await openDenoRunner({ ...options, maxConcurrent: 1 })
    const sourceCode = 'export const tool = () => new Promise((done) => setTimeout(done, 1e6))'
    const first = new AbortController()
    const second = new AbortController()
    const running = runTool(narrow, { sourceCode }, first.signal)
    const waiting = runTool(narrow, { sourceCode }, second.signal)
    const third = runTool(narrow, { sourceCode: 'export const tool = () => 3' })
    second.abort()
    expect(await waiting).toMatchObject({ status: 'error', kind: 'cancelled' })
    first.abort()
    expect(await running).toMatchObject({ status: 'error', kind: 'cancelled' })
    expect(await third).toMatchObject({ status: 'success', text: '3' })
  })

  test('find nothing that another has left', async () => {
    const leave = `export const tool = () => { globalThis.left = 1; Array.prototype.left = 1; return Deno.pid }`
    const pid = await textOf(leave)
    const look = `export const tool = () => [globalThis.left ?? null, [].left ?? null, Deno.pid === ${pid}]`
    expect(await textOf(look)).toBe('[null,null,false]')
  })
})
