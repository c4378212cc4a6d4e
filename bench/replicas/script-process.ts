import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'

export interface ScriptProcess {
  /** The first line that it has printed. */
  first: string
  /** What it prints after that. */
  lines: Interface
  pid: number
  stop(): Promise<void>
}

/** Starts a script of the benchmark on this Node and waits for its first line. Throws when it ends before. */
export async function startScript(script: string, input = ''): Promise<ScriptProcess> {
  const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(input)
  const exited = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })
  const failed = exited.then(([code]) => {
    throw new Error(`${script} ended with ${code} before its first line`)
  })
  failed.catch(() => {})
  const [first] = (await Promise.race([once(lines, 'line'), failed])) as [string]
  return {
    first,
    lines,
    pid: child.pid ?? 0,
    async stop() {
      child.kill()
      await exited
    },
  }
}
