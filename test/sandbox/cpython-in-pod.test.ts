import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { attacksFor } from './hostile-python.ts'
import { runInPod, whyNoPod } from './run-in-pod.ts'

const SCRIPT = fileURLToPath(new URL('./cpython-in-pod.ts', import.meta.url))

if (whyNoPod !== null) console.warn(`NOT TESTED: CPython's sandbox in a locked-down pod. ${whyNoPod}`)

test.skipIf(whyNoPod !== null)('CPython holds every attack in a locked-down pod', { timeout: 300_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'perdure-pod-'))
  try {
    // the server can read it, and everybody else who is let
    await chmod(folder, 0o755)
    const secretPath = join(folder, 'secret.txt')
    await writeFile(secretPath, `SECRET-${randomBytes(12).toString('hex')}`, { mode: 0o644 })
    const { exitCode, stdout, stderr } = await runInPod(process.execPath, [SCRIPT, secretPath])
    expect(stderr).toBe('')
    expect(exitCode).toBe(0)
    const { user, benign, connections, problems } = JSON.parse(stdout)
    expect(user).toBe(65534)
    expect(benign).toMatchObject({ status: 'success', text: '{"a": [1, 2]}' })
    expect(connections).toBe(0)
    expect(Object.entries(problems).filter(([, problem]) => problem !== null)).toEqual([])
    expect(Object.keys(problems)).toEqual([...attacksFor({ level: 'cpython' }).map(({ name }) => name), 'damage'])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
