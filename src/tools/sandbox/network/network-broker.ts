import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { isIP } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Resolve } from '#platform/guarded-lookup.ts'
import type { Logger } from '#platform/logger.ts'
import { PYTHON_FLAGS } from '#tools/sandbox/python/find-python.ts'
import { SandboxUnavailable } from '#tools/sandbox/tool-runner.ts'
import type { NetworkQuestion, ToolNetwork } from './tool-network.ts'

const PROGRAM = fileURLToPath(new URL('../python/broker.py', import.meta.url))

/** What a look-up gave. */
interface Found {
  addresses?: string[]
  message?: string
}

let lastLookup = 0

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
    const tell = (message: object) => void child.stdin.write(`${JSON.stringify(message)}\n`)
    const lookups = new Map<number, (found: Found) => void>()
    const lookUp: Resolve = async (host) => {
      lastLookup += 1
      const id = lastLookup
      const found = await new Promise<Found>((resolve) => {
        lookups.set(id, resolve)
        tell({ lookup: id, host })
      })
      lookups.delete(id)
      if (found.addresses === undefined) throw new Error(found.message ?? 'not found')
      return found.addresses.map((address) => ({ address, family: isIP(address) }))
    }
    const broker = new NetworkBroker(name, async () => {
      const closed = once(child, 'close')
      child.stdin.end()
      await closed
    })
    const ready = Promise.withResolvers<void>()
    createInterface({ input: child.stderr }).on('line', (line) => logger.warn({ line }, 'the network of tools'))
    createInterface({ input: child.stdout }).on('line', (line) => {
      const message = JSON.parse(line) as { ready?: true; found?: number } & Found & NetworkQuestion & { id: number }
      if (message.ready) ready.resolve()
      else if (message.found !== undefined) lookups.get(message.found)?.(message)
      // never rejects
      else void network.answer(message, lookUp).then((answer) => tell({ id: message.id, ...answer }))
    })
    child.stdin.on('error', () => {})
    child.on('error', (error) => ready.reject(new SandboxUnavailable(error.message)))
    child.on('close', () => {
      broker.#isRunning = false
      for (const resolve of lookups.values()) resolve({ message: 'the network of tools ended' })
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
