import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Program } from './debian-program.ts'
import { freePort } from './server-process.ts'

const run = promisify(execFile)

/** A real load balancer in front of replicas, with the configuration that is shipped in `deploy/`. */
export interface LoadBalancer {
  url: string
  stop(): Promise<void>
}

export interface LoadBalancerSettings {
  program: Program
  /** The shipped file. */
  file: URL
  /** Puts this test's values where the shipped file has its own. */
  replacements: (port: number, folder: string) => readonly (readonly [string, string])[]
  /** What stands around it. */
  wrap: (text: string, folder: string) => string
  checkArguments: (file: string, folder: string) => string[]
  startArguments: (file: string, folder: string) => string[]
  stopSignal: NodeJS.Signals
}

/** Checks the configuration with the program's own check and starts it. Throws what the program says against it. */
export async function startLoadBalancer(settings: LoadBalancerSettings): Promise<LoadBalancer> {
  const { program, replacements, wrap, checkArguments, startArguments, stopSignal } = settings
  const folder = await mkdtemp(join(tmpdir(), 'perdure-balancer-'))
  const port = await freePort()
  const text = replaceOnce(await readFile(settings.file, 'utf8'), replacements(port, folder))
  const file = join(folder, 'balancer.conf')
  await writeFile(file, wrap(text, folder))
  const env = { PATH: process.env.PATH ?? '', ...program.env }
  await run(program.path, checkArguments(file, folder), { env })

  const child = spawn(program.path, startArguments(file, folder), { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data) => {
      output += String(data)
    })
  }
  const url = `http://127.0.0.1:${port}`
  await waitUntilListening(child, url, () => output)
  return {
    url,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill(stopSignal)
        await once(child, 'exit')
      }
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Throws where the shipped file no longer has what the test replaces: it would test another file. */
function replaceOnce(text: string, replacements: readonly (readonly [string, string])[]): string {
  let result = text
  for (const [from, to] of replacements) {
    if (result.split(from).length !== 2) throw new Error(`the shipped configuration must have "${from}" exactly once`)
    result = result.replace(from, to)
  }
  return result
}

async function waitUntilListening(child: ChildProcess, url: string, output: () => string): Promise<void> {
  const deadline = performance.now() + 10_000
  while (performance.now() < deadline && child.exitCode === null) {
    const response = await fetch(`${url}/health`).catch(() => undefined)
    await response?.body?.cancel()
    if (response !== undefined) return
    await sleep(20)
  }
  child.kill('SIGKILL')
  throw new Error(`the load balancer does not listen:\n${output()}`)
}
