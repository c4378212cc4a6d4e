import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Logger } from '#platform/logger.ts'
import { PYTHON_FLAGS } from '#tools/sandbox/python/find-python.ts'
import { SandboxUnavailable } from '#tools/sandbox/tool-runner.ts'
import type { NetworkQuestion, ToolNetwork } from './tool-network.ts'

const PROGRAM = fileURLToPath(new URL('../python/broker.py', import.meta.url))

/** The process that connects for the code of tools (`broker.py`), to addresses that `ToolNetwork` has checked. */
export class NetworkBroker {
  readonly name: string
  #isRunning = true
  readonly #stop: () => Promise<void>

  private constructor(name: string, stop: () => Promise<void>) {
    this.name = name
    this.#stop = stop
  }

  /** Throws SandboxUnavailable where it does not start. */
  static async start(python: string, network: ToolNetwork, logger: Logger): Promise<NetworkBroker> {
    const name = `perdure-net-${randomBytes(16).toString('hex')}`
    const child = spawn(python, [...PYTHON_FLAGS, PROGRAM, JSON.stringify({ name, caller: process.pid })], {
      env: {},
      cwd: '/',
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const broker = new NetworkBroker(name, async () => {
      const closed = once(child, 'close')
      child.stdin.end()
      await closed
    })
    const ready = Promise.withResolvers<void>()
    createInterface({ input: child.stderr }).on('line', (line) => logger.warn({ line }, 'the network of tools'))
    createInterface({ input: child.stdout }).on('line', (line) => {
      const message = JSON.parse(line) as { ready?: true } & NetworkQuestion & { id: number }
      if (message.ready) return ready.resolve()
      // never rejects
      void network
        .answer(message)
        .then((answer) => child.stdin.write(`${JSON.stringify({ id: message.id, ...answer })}\n`))
    })
    child.stdin.on('error', () => {})
    child.on('error', (error) => ready.reject(new SandboxUnavailable(error.message)))
    child.on('close', () => {
      broker.#isRunning = false
      ready.reject(new SandboxUnavailable('The process that connects for tools did not start.'))
    })
    await ready.promise
    return broker
  }

  get isRunning(): boolean {
    return this.#isRunning
  }

  async stop(): Promise<void> {
    if (this.#isRunning) await this.#stop()
  }
}
