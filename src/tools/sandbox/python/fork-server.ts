import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Logger } from '#platform/logger.ts'
import { SandboxUnavailable } from '#tools/sandbox/tool-runner.ts'
import { PYTHON_FLAGS } from './find-python.ts'

const PROGRAM = fileURLToPath(new URL('./fork_server.py', import.meta.url))
const START_LIMIT_MS = 20_000
/** Of a line that Python wrote to stderr, which is logged. */
const MAX_LOGGED_CHARS = 2000

export interface ForkServerOptions {
  python: string
  /** Processes that wait for a call, each some 3 ms ahead of it. */
  standbys: number
  readPaths: readonly string[]
  /** Of the kernel's Landlock no more than this version: what an older kernel has. */
  maxLandlockAbi: number
  logger: Logger
}

/** How the process of a call ended. */
export interface ProcessEnd {
  /** Exit code, or the number of a signal, negative. */
  code: number
  cpuSeconds: number
}

/** The Python process that forks one for each call (`fork_server.py`). When it ends, all of these do. */
export class ForkServer {
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>
  readonly #name: string
  readonly #ends = new Map<number, PromiseWithResolvers<ProcessEnd | undefined>>()
  #isRunning = true

  private constructor(process: ChildProcessByStdio<Writable, Readable, Readable>, name: string) {
    this.#process = process
    this.#name = name
  }

  /** Throws SandboxUnavailable with what Python said. */
  static async start(options: ForkServerOptions): Promise<ForkServer> {
    const name = `perdure-${randomBytes(16).toString('hex')}`
    const { standbys, readPaths, maxLandlockAbi } = options
    const specification = JSON.stringify({ name, standbys, readPaths, maxLandlockAbi, caller: process.pid })
    const child = spawn(options.python, [...PYTHON_FLAGS, PROGRAM, specification], {
      env: {},
      cwd: '/',
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const server = new ForkServer(child, name)
    await server.#waitUntilReady(options.logger)
    return server
  }

  get isRunning(): boolean {
    return this.#isRunning
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  /** A connection that the next process of a call takes. */
  async connect(): Promise<Socket> {
    const socket = connect({ path: `\0${this.#name}` })
    await once(socket, 'connect')
    return socket
  }

  /** Resolves when the process is gone; with undefined when the server went before it was known how. */
  waitForEnd(serial: number): Promise<ProcessEnd | undefined> {
    if (!this.#isRunning) return Promise.resolve(undefined)
    let end = this.#ends.get(serial)
    if (end === undefined) {
      end = Promise.withResolvers<ProcessEnd | undefined>()
      this.#ends.set(serial, end)
    }
    return end.promise
  }

  kill(serial: number): void {
    if (this.#isRunning) this.#process.stdin.write(`kill ${serial}\n`)
  }

  /** Ends the server and every process of a call. */
  async stop(): Promise<void> {
    if (!this.#isRunning) return
    const exit = once(this.#process, 'close')
    this.#process.stdin.end()
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), 2000)
    await exit
    clearTimeout(timer)
  }

  async #waitUntilReady(logger: Logger): Promise<void> {
    const ready = Promise.withResolvers<void>()
    const said: string[] = []
    createInterface({ input: this.#process.stderr }).on('line', (line) => {
      said.push(line)
      said.splice(0, said.length - 5)
      logger.warn({ line: line.slice(0, MAX_LOGGED_CHARS) }, 'the fork server of Python tools said something')
    })
    createInterface({ input: this.#process.stdout }).on('line', (line) => {
      const message = JSON.parse(line) as { ready?: true; failed?: string; exit?: number; code?: number; cpu?: number }
      if (message.ready) ready.resolve()
      else if (message.failed !== undefined) ready.reject(new SandboxUnavailable(message.failed))
      else if (message.exit !== undefined) {
        this.#end(message.exit, { code: message.code ?? -1, cpuSeconds: message.cpu ?? 0 })
      }
    })
    const fail = (reason: string) => {
      this.#isRunning = false
      for (const serial of [...this.#ends.keys()]) this.#end(serial, undefined)
      ready.reject(new SandboxUnavailable(`Python for tools did not start: ${reason}`))
    }
    this.#process.on('error', (error) => fail(error.message))
    this.#process.on('close', (code, signal) => fail(`it ended with ${signal ?? code}. ${said.join(' ')}`))
    // writing to a process that is gone: its end is told above
    this.#process.stdin.on('error', () => {})
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), START_LIMIT_MS)
    await ready.promise.finally(() => clearTimeout(timer))
  }

  #end(serial: number, end: ProcessEnd | undefined): void {
    const waiting = this.#ends.get(serial)
    if (waiting === undefined) {
      // the end was told before anybody asked
      const early = Promise.withResolvers<ProcessEnd | undefined>()
      early.resolve(end)
      this.#ends.set(serial, early)
    } else waiting.resolve(end)
  }

  /** Of a call that is over. */
  forget(serial: number): void {
    this.#ends.delete(serial)
  }
}
