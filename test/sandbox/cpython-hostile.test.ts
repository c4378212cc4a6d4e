import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createLogger } from '../../src/platform/logger.ts'
import { openCpythonRunner } from '../../src/tools/sandbox/python/open-cpython-runner.ts'
import type { ToolRunner } from '../../src/tools/sandbox/tool-runner.ts'
import { ATTACKS_ON_FILES } from './attacks/attacks-on-files.ts'
import { ATTACKS_ON_PROCESSES } from './attacks/attacks-on-processes.ts'
import { ATTACK_LIMITS, attack, attacksFor, PYTHON_ATTACKS, runProgram, toCall } from './hostile-python.ts'
import { type PreparedTargets, prepareTargets } from './prepare-targets.ts'

let runner: ToolRunner
let prepared: PreparedTargets

/** Processes of this test's sandbox: pids by what they are. */
async function listSandboxProcesses(): Promise<number[]> {
  const out: number[] = []
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    if (line.includes(`"caller":${process.pid}`)) out.push(Number(pid))
  }
  return out
}

beforeAll(async () => {
  prepared = await prepareTargets()
  const logger = createLogger({ level: 'silent', format: 'json' })
  runner = await openCpythonRunner({
    logger,
    maxConcurrent: 4,
    allowsPrivateAddresses: false,
    // another interpreter than the system's
    pythonPath: process.env.TEST_PYTHON,
  })
})

afterAll(async () => {
  await runner[Symbol.asyncDispose]()
  expect(await listSandboxProcesses()).toEqual([])
  await prepared[Symbol.asyncDispose]()
})

describe('a hostile Python tool in CPython on an old kernel', () => {
  // the first Landlock knows nothing of sockets, signals, truncation or devices: seccomp has to hold alone
  let old: ToolRunner
  beforeAll(async () => {
    const logger = createLogger({ level: 'silent', format: 'json' })
    old = await openCpythonRunner({ logger, maxConcurrent: 4, allowsPrivateAddresses: false, maxLandlockAbi: 1 })
  })
  afterAll(() => old[Symbol.asyncDispose]())

  for (const one of [...ATTACKS_ON_FILES, ...ATTACKS_ON_PROCESSES]) {
    test(one.name, async () => {
      expect(await attack(old, one, prepared.targets)).toBeNull()
      expect(await prepared.findDamage()).toBeNull()
      expect(prepared.connections()).toBe(0)
    })
  }

  test('there is no sandbox without Landlock', async () => {
    const options = { logger: createLogger({ level: 'silent', format: 'json' }), maxConcurrent: 1 }
    const opening = openCpythonRunner({ ...options, allowsPrivateAddresses: false, maxLandlockAbi: 0 })
    await expect(opening).rejects.toThrow('this kernel has no Landlock')
  })
})

describe('a hostile Python tool in CPython', () => {
  for (const one of PYTHON_ATTACKS) {
    test(one.name, async () => {
      expect(attacksFor(runner)).toContain(one)
      expect(await attack(runner, one, prepared.targets)).toBeNull()
      expect(await prepared.findDamage()).toBeNull()
      expect(prepared.connections()).toBe(0)
    })
  }

  test('connects to the socket of the fork server', async () => {
    const names = (await readFile('/proc/net/unix', 'utf8')).match(/@perdure-[0-9a-f]{32}/g) ?? []
    expect(names.length).toBeGreaterThan(0)
    const source = `
import socket, os
def connect(name):
    s = socket.socket(socket.AF_UNIX); s.connect('\\0' + name); return 'connected'
out = []
for name in os.environ['NAMES'].split():
    try: out.append(connect(name))
    except OSError: pass
out`
    const env = { NAMES: names.map((name) => name.slice(1)).join(' ') }
    expect(await runProgram(runner, source, { env })).toMatchObject({ status: 'success', text: '[]' })
  })

  test('reads the folder of another call', async () => {
    const root = await mkdtemp(join(tmpdir(), 'perdure-scratch-'))
    const logger = createLogger({ level: 'silent', format: 'json' })
    const options = { logger, maxConcurrent: 2, allowsPrivateAddresses: false, pythonPath: process.env.TEST_PYTHON }
    const own = await openCpythonRunner({ ...options, scratchRoot: root })
    const stop = new AbortController()
    try {
      const secret = `SECRET-${randomBytes(8).toString('hex')}`
      const source = "import os, time\nopen('mine.txt', 'w').write(os.environ['SECRET'])\ntime.sleep(1000)"
      const limits = { ...ATTACK_LIMITS, wallMs: 60_000 }
      const victim = own.run(toCall(source, { env: { SECRET: secret }, limits }), stop.signal)
      const findSecret = async () => {
        const names = await readdir(root, { recursive: true })
        const path = names.find((name) => name.endsWith('mine.txt'))
        return path === undefined ? '' : await readFile(join(root, path), 'utf8')
      }
      await expect.poll(findSecret).toBe(secret)
      const attacker = await runProgram(
        own,
        `
import glob, os
found = []
here = os.getcwd()
for number in range(400):
    path = os.path.join(os.path.dirname(here), str(number), 'mine.txt')
    try: found.append(open(path).read())
    except OSError: pass
    try: open(path, 'a').write('x')
    except OSError: pass
found += glob.glob(os.path.dirname(here) + '/*')
found`,
      )
      expect(attacker).toMatchObject({ status: 'success', text: '[]' })
      // it was there all the while
      expect(await findSecret()).toBe(secret)
      stop.abort()
      expect(await victim).toMatchObject({ kind: 'cancelled' })
    } finally {
      stop.abort()
      await own[Symbol.asyncDispose]()
      expect(await readdir(root)).toEqual([])
      await rm(root, { recursive: true, force: true })
    }
  })

  test('finds nothing of an earlier call in memory', async () => {
    const mark = `PERDUREMARK-${randomBytes(16).toString('hex')}`
    const before = await runProgram(runner, `keep = '${mark}' * 1000\nlen(keep)`, {
      env: { MARK: mark },
      args: { mark },
    })
    expect(before.status).toBe('success')
    const source = `
import ctypes, gc, os, re
libc = ctypes.CDLL(None, use_errno=True)
mark, control = re.compile(rb'PERDUREMARK-[0-9a-f]{32}'), re.compile(rb'PERDURECTRL-[0-9]{8}')
keep = [('PERDURECTRL' + '-' + str(10000000 + i)) for i in range(1000)]
r, w = os.pipe()
found, controls, pages = set(), 0, 0
# write() says which pages there are: a bad address is an error and no crash
starts = {id(thing) & ~0xFFFFFFF for thing in gc.get_objects() + keep}
for start in starts:
    for page in range(start, start + 0x10000000, 4096):
        if libc.write(w, ctypes.c_void_p(page), 4096) == 4096:
            data = os.read(r, 4096)
            pages += 1
            found.update(mark.findall(data))
            controls += len(control.findall(data))
[sorted(x.decode() for x in found), controls > 500, pages > 1000]`
    const after = await runProgram(runner, source, { limits: { ...ATTACK_LIMITS, cpuSeconds: 60, wallMs: 60_000 } })
    expect(after).toMatchObject({ status: 'success', text: '[[], true, true]' })
  })

  test('leaves no process of a call behind', async () => {
    await runProgram(runner, '1')
    // the fork server, the broker of the network, and those that wait for a call
    const left = await listSandboxProcesses()
    expect(left.length).toBeGreaterThan(1)
    expect(left.length).toBeLessThanOrEqual(1 + 1 + 3)
  })
})
