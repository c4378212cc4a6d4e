import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const SCRIPT = fileURLToPath(new URL('./deno-server-process.ts', import.meta.url))
const hasSetpriv = existsSync('/usr/bin/setpriv')

if (!hasSetpriv) console.warn('NOT TESTED: what becomes of calls whose server is killed. Install util-linux (setpriv).')

test.skipIf(!hasSetpriv)('no process of a call outlives a server that is killed', async () => {
  const server = spawn(process.execPath, [SCRIPT], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(createInterface({ input: server.stdout }), 'line')
  const pids: number[] = JSON.parse(line)
  expect(pids.length).toBe(3)
  expect(pids.every(isRunning)).toBe(true)
  server.kill('SIGKILL')
  await once(server, 'exit')
  await expect.poll(() => pids.filter(isRunning)).toEqual([])
})

/** Of this program: ids are used again. */
function isRunning(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('typescript-runner.mjs')
  } catch {
    return false
  }
}
