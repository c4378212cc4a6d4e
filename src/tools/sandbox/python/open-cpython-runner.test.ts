import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createLogger } from '#platform/logger.ts'
import { SandboxUnavailable, type ToolCall, type ToolRunner } from '#tools/sandbox/tool-runner.ts'
import { ATTACK_LIMITS, runProgram, toCall } from '../../../../test/sandbox/hostile-python.ts'
import { openCpythonRunner } from './open-cpython-runner.ts'

const logger = createLogger({ level: 'silent', format: 'json' })
const OPTIONS = { logger, maxConcurrent: 2, allowsPrivateAddresses: false, pythonPath: process.env.TEST_PYTHON }
const never = new AbortController().signal

let runner: ToolRunner
beforeAll(async () => {
  runner = await openCpythonRunner(OPTIONS)
})
afterAll(() => runner[Symbol.asyncDispose]())

const call = (sourceCode: string, args: ToolCall['args'] = {}, more: Partial<ToolCall> = {}) =>
  runner.run(toCall(sourceCode, { functionName: 'f', args, ...more }), never)

const AGENT = {
  id: 'agent-1',
  name: 'Ada',
  description: null,
  blocks: [
    { id: 'block-1', label: 'human', value: 'Bob', description: null, limit: 20 },
    { id: 'block-2', label: 'persona', value: 'I', description: null, limit: 20 },
  ],
}

describe('values', () => {
  const values: [string, string][] = [
    ["'as it is'", 'as it is'],
    ['None', 'None'],
    ['True', 'True'],
    ['3', '3'],
    ['2.5', '2.5'],
    ["{'a': [1, 'ä', None]}", '{"a": [1, "ä", null]}'],
    ['(1, 2)', '[1, 2]'],
    ['{5}', '[5]'],
    ["{'when': __import__('datetime').date(2026, 1, 2)}", '{"when": "2026-01-02"}'],
    ["__import__('decimal').Decimal('1.50')", '1.50'],
  ]
  test.each(values)('%s is %s', async (value, text) => {
    expect(await call(`def f(): return ${value}`)).toMatchObject({ status: 'success', text, textLength: text.length })
  })

  test('a dataclass is an object', async () => {
    const source =
      'from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\n    inner: object = None\ndef f(): return P(1, P(2))'
    expect(await call(source)).toMatchObject({ text: '{"x": 1, "inner": {"x": 2, "inner": null}}' })
  })

  test('a long one is cut and its length told', async () => {
    const result = await call("def f(): return 'ab' * 50_000", {}, { limits: { ...ATTACK_LIMITS, resultChars: 10 } })
    expect(result).toMatchObject({ text: 'ababababab', textLength: 100_000 })
  })
})

describe('arguments', () => {
  test('are those that the function takes', async () => {
    const source = 'def f(a, b=2, /, *, c: float = 3.0): return [a, b, c]'
    expect(await call(source, { a: 1, c: 4, unknown: 5 })).toMatchObject({ text: '[1, 2, 4]' })
  })

  test('become enums, tuples, sets and what is in Optional and Annotated', async () => {
    const source = `
from enum import Enum
from typing import Annotated, List, Optional, Tuple
class Color(Enum):
    RED = 'red'
def f(a: Color, b: Optional[Color], c: List[Color], d: Tuple[int, Color], e: Annotated[Color, 'text'], g: Optional[Color] = None, h: 'Color | None' = None, i: set = None):
    return [a is Color.RED, b is Color.RED, c == [Color.RED], d == (1, Color.RED), e is Color.RED, g is None, i == {1}]`
    const result = await call(source, { a: 'red', b: 'red', c: ['red'], d: [1, 'red'], e: 'red', g: null, i: [1, 1] })
    expect(result).toMatchObject({ text: JSON.stringify(Array(7).fill(true)).replaceAll(',', ', ') })
  })

  test('become models of whatever library has model_validate', async () => {
    const source = `
class Model:
    @classmethod
    def model_validate(cls, value):
        made = cls(); made.value = value; return made
def f(a: Model, b: list[Model]): return [a.value, b[0].value]`
    expect(await call(source, { a: { x: 1 }, b: [{ x: 2 }] })).toMatchObject({ text: '[{"x": 1}, {"x": 2}]' })
  })

  test('that are nested without end are an error of the call alone', async () => {
    for (const depth of [2000, 50_000]) {
      const deep = JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`) as unknown
      const result = await call('def f(a): return 1', { a: deep })
      // newer Pythons read 2000
      if (result.status === 'error') expect(result).toMatchObject({ kind: 'exception', type: 'RecursionError' })
      else expect(depth).toBe(2000)
    }
  })

  test('that are missing raise what Python raises', async () => {
    expect(await call('def f(a): return a')).toMatchObject({ kind: 'exception', type: 'TypeError' })
  })
})

describe('functions', () => {
  test('can be async', async () => {
    expect(await call('import asyncio\nasync def f():\n    await asyncio.sleep(0)\n    return 1')).toMatchObject({
      text: '1',
    })
  })

  test('can be methods of a class that names itself', async () => {
    const source = "class Tool:\n    name: str = 'f'\n    def run(self, a: int): return a + 1"
    expect(await call(source, { a: 1 })).toMatchObject({ text: '2' })
  })

  test('that are not there are told', async () => {
    expect(await call('x = 1')).toMatchObject({ type: 'NameError', message: expect.stringContaining("'f'") })
  })

  test('get None for self, and for client without a key', async () => {
    expect(await call('def f(self, client, a): return [self, client, a]', { a: 1 })).toMatchObject({
      text: '[null, null, 1]',
    })
  })

  test('raise with a trace of their own lines', async () => {
    const result = await call('def g(): raise ValueError("no")\ndef f(): g()')
    expect(result).toMatchObject({ status: 'error', kind: 'exception', type: 'ValueError', message: 'no' })
    // newer Pythons mark the place below the line
    const trace = result.stderr.filter((line) => !/^[\s^~]*$/.test(line))
    expect(trace).toEqual([
      'Traceback (most recent call last):',
      '  File "f.py", line 2, in f',
      '    def f(): g()',
      '  File "f.py", line 1, in g',
      '    def g(): raise ValueError("no")',
      'ValueError: no',
    ])
  })

  test('print lines', async () => {
    const source =
      "import sys\ndef f():\n    print('a\\nb')\n    print('c', file=sys.stderr)\n    sys.stdout.buffer.write(b'd')"
    expect(await call(source)).toMatchObject({ text: 'None', stdout: ['a', 'b', 'd'], stderr: ['c'] })
  })

  test('have the environment that they are given, and a folder', async () => {
    const source =
      "import os\ndef f(): return [sorted(os.environ), os.environ['KEY'], os.getcwd() == os.environ['HOME'], open('x', 'w').write('y')]"
    const result = await call(source, {}, { env: { KEY: 'value' } })
    expect(result).toMatchObject({ text: '[["HOME", "KEY", "TMPDIR"], "value", true, 1]' })
  })

  test('use their folder as programs do', async () => {
    const source = `
import os, shutil, sqlite3, tempfile, zipfile
def f():
    os.makedirs('a/b'); open('a/b/c', 'w').write('x')
    shutil.copy2('a/b/c', 'd'); shutil.copytree('a', 'e'); shutil.move('d', 'e/d'); shutil.rmtree('a')
    with tempfile.NamedTemporaryFile('w+') as file: file.write('1'); file.flush()
    with zipfile.ZipFile('z.zip', 'w') as z: z.write('e/d')
    db = sqlite3.connect('db'); db.execute('create table t (a)'); db.execute('insert into t values (1)'); db.commit()
    return [sorted(os.listdir('.')), db.execute('select * from t').fetchall()]`
    expect(await call(source)).toMatchObject({ text: '[["db", "e", "z.zip"], [[1]]]' })
  })

  test('are not random in the same way twice', async () => {
    const source =
      'import random, uuid, tempfile\ndef f(): return [random.random(), str(uuid.uuid4()), tempfile.mktemp()[-8:]]'
    const [one, two] = await Promise.all([call(source), call(source)])
    const values = [one, two].map((result) => JSON.parse('text' in result ? result.text : '[]') as unknown[])
    expect(new Set(values.flat()).size).toBe(6)
  })
})

describe('agent_state', () => {
  test('can be read, and its blocks changed', async () => {
    const source = `
def f(agent_state, text: str):
    memory = agent_state.memory
    memory.update_block_value('human', memory.get_block('human').value + text)
    return [agent_state.id, agent_state.name, memory.list_block_labels(), [b.label for b in agent_state.blocks]]`
    expect(await call(source, { text: '!' }, { agentState: AGENT })).toMatchObject({
      text: '["agent-1", "Ada", ["human", "persona"], ["human", "persona"]]',
      blocks: { human: 'Bob!' },
    })
  })

  test('has no other blocks, and none that are too long', async () => {
    const missing = await call("def f(agent_state): agent_state.memory.get_block('x')", {}, { agentState: AGENT })
    expect(missing).toMatchObject({ type: 'KeyError', message: expect.stringContaining('human, persona') })
    const long = "def f(agent_state): agent_state.memory.get_block('human').value = 'x' * 21"
    expect(await call(long, {}, { agentState: AGENT })).toMatchObject({ type: 'ValueError' })
  })
})

describe('programs', () => {
  test('have the value of their last expression', async () => {
    expect(await runProgram(runner, 'x = 2\nx * 3')).toMatchObject({ text: '6' })
    expect(await runProgram(runner, 'x = 2')).toMatchObject({ text: '', textLength: 0 })
    expect(await runProgram(runner, 'def (')).toMatchObject({ type: 'SyntaxError' })
  })
})

describe('the runner', () => {
  test('lets no more in than it may, in their order, and forgets who gives up', async () => {
    const slow = 'import time\ntime.sleep(0.4)\ntime.time()'
    const running = [runProgram(runner, slow), runProgram(runner, slow)]
    const leaving = new AbortController()
    const gaveUp = runner.run(toCall('1'), leaving.signal)
    const third = runProgram(runner, 'import time\ntime.time()')
    leaving.abort()
    expect(await gaveUp).toMatchObject({ status: 'error', kind: 'cancelled' })
    const ends = (await Promise.all(running)).map((result) => Number('text' in result && result.text))
    const last = await third
    expect(Number('text' in last && last.text)).toBeGreaterThan(Math.min(...ends))
  })

  test('ends a call that is cancelled', async () => {
    const abort = new AbortController()
    const running = runner.run(toCall('import time\ntime.sleep(1000)'), abort.signal)
    setTimeout(() => abort.abort(), 100)
    expect(await running).toMatchObject({ status: 'error', kind: 'cancelled' })
  })

  test('survives the death of its fork server', async () => {
    const root = await mkdtemp(join(tmpdir(), 'perdure-scratch-'))
    const before = await findForkServers()
    try {
      await using own = await openCpythonRunner({ ...OPTIONS, scratchRoot: root })
      const [pid = 0] = (await findForkServers()).filter((one) => !before.includes(one))
      const running = runProgram(own, "import time\nopen('begun', 'w')\ntime.sleep(1000)")
      const hasBegun = async () => (await readdir(root, { recursive: true })).some((name) => name.endsWith('begun'))
      await expect.poll(hasBegun).toBe(true)
      process.kill(pid, 'SIGKILL')
      expect(await running).toMatchObject({ status: 'error', kind: 'died', type: 'ProcessLost' })
      expect(await runProgram(own, '1 + 1')).toMatchObject({ text: '2' })
      expect(await findForkServers()).not.toContain(pid)
    } finally {
      await rm(root, { recursive: true, force: true })
    }
  })

  test('has no folder where none can be made, and says so in Python', async () => {
    await using without = await openCpythonRunner({ ...OPTIONS, scratchRoot: null })
    const result = await runProgram(without, 'import tempfile\ntempfile.mkdtemp()')
    expect(result).toMatchObject({
      type: 'FileNotFoundError',
      message: expect.stringContaining('No usable temporary directory'),
    })
  })

  test('cannot be had without Python', async () => {
    await expect(openCpythonRunner({ ...OPTIONS, pythonPath: '/nowhere/python3' })).rejects.toThrow(SandboxUnavailable)
    await expect(openCpythonRunner({ ...OPTIONS, pythonPath: '/bin/true' })).rejects.toThrow('is no Python')
  })

  test('ends everything when it is disposed of', async () => {
    const other = await openCpythonRunner(OPTIONS)
    const running = runProgram(other, 'import time\ntime.sleep(1000)')
    await new Promise((resolve) => setTimeout(resolve, 200))
    await other[Symbol.asyncDispose]()
    expect(await running).toMatchObject({ kind: 'cancelled' })
    expect(await runProgram(other, '1')).toMatchObject({ kind: 'cancelled' })
  })
})

/** Fork servers of this process, oldest first: not those that they forked. */
async function findForkServers(): Promise<number[]> {
  const out: number[] = []
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue
    const [line, stat] = await Promise.all(
      ['cmdline', 'stat'].map((name) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '')),
    )
    const parent = Number(stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
    if (line?.includes('fork_server.py') && parent === process.pid) out.push(Number(pid))
  }
  return out.sort((a, b) => a - b)
}
