import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const READY_TIMEOUT_MS = 30_000

/** A real server in a process of its own. */
export interface ServerProcess {
  url: string
  pid: number
  /** Milliseconds from the spawn to the first 200 of /ready. */
  readyAfterMs: number
  /** Log lines so far, parsed. */
  log: Record<string, unknown>[]
  /** Ends the process with -9 and waits until it is gone. Throws if it had ended before: then the fault did not happen. */
  kill(): Promise<void>
  /** SIGTERM; gives the exit code. */
  stop(): Promise<number | null>
}

export async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

/**
 * Starts `perdure server` with only these variables beside PATH and HOME, without embeddings unless they say so, and waits until it is ready.
 * @param command program and first arguments; the sources on this Node unless told
 */
export async function startServerProcess(
  port: number,
  env: Record<string, string>,
  [program, ...args]: readonly [string, ...string[]] = [process.execPath, MAIN],
): Promise<ServerProcess> {
  const startedAt = performance.now()
  const child = spawn(program, [...args, 'server', '--port', String(port)], {
    env: {
      PATH: process.env.PATH ?? '',
      HOME: process.env.HOME ?? '',
      LOG_FORMAT: 'json',
      PERDURE_EMBEDDINGS: 'off',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const log: Record<string, unknown>[] = []
  const errors: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => log.push(parseLine(line)))
  createInterface({ input: child.stderr }).on('line', (line) => errors.push(line))
  const url = `http://127.0.0.1:${port}`
  await waitUntilReady(child, url, () => [...errors, ...log.map((line) => JSON.stringify(line))].join('\n'))
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  return {
    url,
    pid: child.pid ?? 0,
    readyAfterMs: performance.now() - startedAt,
    log,
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) {
        throw new Error(`the server had ended before it was killed:\n${errors.join('\n')}`)
      }
      child.kill('SIGKILL')
      const [, signal] = await exited
      if (signal !== 'SIGKILL') throw new Error(`the server ended by ${signal}, not by the kill`)
    },
    async stop() {
      child.kill('SIGTERM')
      const [code] = await exited
      return code
    },
  }
}

function parseLine(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    return { message: line }
  }
}

async function waitUntilReady(child: ChildProcess, url: string, describe: () => string): Promise<void> {
  const deadline = performance.now() + READY_TIMEOUT_MS
  while (performance.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}:\n${describe()}`)
    const response = await fetch(`${url}/ready`).catch(() => undefined)
    if (response?.ok === true) return
    await sleep(10)
  }
  child.kill('SIGKILL')
  throw new Error(`the server was not ready after ${READY_TIMEOUT_MS / 1000} s:\n${describe()}`)
}
