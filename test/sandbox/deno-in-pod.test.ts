import { randomBytes } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { openPyodideRunner } from '#tools/sandbox/deno/open-pyodide-runner.ts'
import { silentLogger, TEST_LIMITS } from '../support/tool-call.ts'
import { HOSTILE_TYPESCRIPT } from './hostile-typescript.ts'
import { runInPod, whyNoPod } from './run-in-pod.ts'

const SCRIPT = fileURLToPath(new URL('./deno-in-pod.ts', import.meta.url))

if (whyNoPod !== null) console.warn(`NOT TESTED: Deno's sandbox in a locked-down pod. ${whyNoPod}`)

test.skipIf(whyNoPod !== null)("Deno's sandbox holds in a locked-down pod", { timeout: 600_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'perdure-pod-'))
  try {
    await chmod(folder, 0o755)
    const secretPath = join(folder, 'secret.txt')
    await writeFile(secretPath, `SECRET-${randomBytes(12).toString('hex')}`, { mode: 0o644 })
    const cacheDir = join(folder, 'cache')
    await mkdir(cacheDir, { mode: 0o755 })
    await (
      await openPyodideRunner({
        logger: silentLogger,
        maxConcurrent: 1,
        standbys: 0,
        limits: TEST_LIMITS,
        allowsPrivateAddresses: false,
        cacheDir,
      })
    )[Symbol.asyncDispose]()
    // an image that brings the snapshot lets its user read it
    for (const name of await readdir(cacheDir)) await chmod(join(cacheDir, name), 0o644)
    const { exitCode, stdout, stderr } = await runInPod(process.execPath, [SCRIPT, secretPath, cacheDir])
    expect(stderr).toBe('')
    expect(exitCode).toBe(0)
    const { user, benign, benignPython, connections, problems } = JSON.parse(stdout)
    expect(user).toBe(65534)
    expect(benign).toMatchObject({ status: 'success', text: '42' })
    expect(benignPython).toMatchObject({ status: 'success', text: '42' })
    expect(connections).toBe(0)
    expect(Object.entries(problems).filter(([, problem]) => problem !== null)).toEqual([])
    expect(Object.keys(problems)).toEqual(expect.arrayContaining(HOSTILE_TYPESCRIPT.map(({ name }) => name)))
    expect(Object.keys(problems).length).toBeGreaterThan(HOSTILE_TYPESCRIPT.length + 5)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
