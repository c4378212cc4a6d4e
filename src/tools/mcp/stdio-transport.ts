import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { type JSONRPCMessage, ReadBuffer, serializeMessage, type Transport } from '@modelcontextprotocol/client'
import { ResponseTooLarge } from './limit-body.ts'

/** A program to be started, with nothing but this environment. */
export interface Program {
  command: string
  args: readonly string[]
  env: Readonly<Record<string, string>>
  cwd: string
}

/** Of what a program writes to stderr the end is kept, to explain why it died. */
const MAX_STDERR_CHARS = 4_096
/** A program that is asked to end has so long, twice: after its input has ended, and after SIGTERM. */
const END_MS = 2_000

/**
 * MCP over the input and output of a program that leads a process group of its own: all of the group ends with it. Unlike the library's
 * transport it kills the group, keeps stderr, and never inherits anything of this process's environment.
 */
export class StdioTransport implements Transport {
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: Transport['onmessage']
  readonly #program: Program
  readonly #maxMessageBytes: number
  readonly #buffer: ReadBuffer
  #child: ChildProcessWithoutNullStreams | undefined
  #stderr = ''
  #end: string | undefined

  constructor(program: Program, maxMessageBytes: number) {
    this.#program = program
    this.#maxMessageBytes = maxMessageBytes
    this.#buffer = new ReadBuffer({ maxBufferSize: maxMessageBytes })
  }

  /** The last lines that the program wrote to stderr. */
  get stderr(): string {
    return this.#stderr.trim().split('\n').slice(-10).join('\n')
  }

  /** How the program ended; undefined while it runs. */
  get end(): string | undefined {
    return this.#end
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  async start(): Promise<void> {
    const { command, args, env, cwd } = this.#program
    // detached: it leads a group, which can be killed as a whole
    const child = spawn(command, [...args], { env, cwd, stdio: 'pipe', detached: true, windowsHide: true })
    this.#child = child
    child.stderr.setEncoding('utf8')
    child.stderr.on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-MAX_STDERR_CHARS)
    })
    child.stdout.on('data', (chunk: Buffer) => this.#read(chunk))
    child.stdin.on('error', () => {})
    child.once('exit', (code, signal) => {
      this.#killGroup('SIGKILL')
      this.#end ??= signal === null ? `it ended with code ${code}` : `it was ended by ${signal}`
    })
    // 'close' comes after the last of stderr
    child.once('close', () => this.onclose?.())
    child.once('error', (error) => {
      this.#end ??= `it could not be started: ${error.message}`
    })
    if (child.pid === undefined) {
      const [error] = (await once(child, 'error')) as [Error]
      throw error
    }
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const stdin = this.#child?.stdin
    if (stdin === undefined || this.#end !== undefined || !stdin.writable) throw new Error('the program has ended')
    if (!stdin.write(serializeMessage(message))) await Promise.race([once(stdin, 'drain'), once(stdin, 'close')])
  }

  async close(): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    const isEnded = () => Promise.race([ended.then(() => true), sleep(END_MS, false, { ref: false })])
    child.stdin.end()
    if (await isEnded()) return
    this.#killGroup('SIGTERM')
    if (await isEnded()) return
    this.#killGroup('SIGKILL')
    await ended
  }

  #read(chunk: Buffer): void {
    try {
      this.#buffer.append(chunk)
    } catch {
      this.#end ??= new ResponseTooLarge(this.#maxMessageBytes).message
      this.#killGroup('SIGKILL')
      return
    }
    for (;;) {
      try {
        const message = this.#buffer.readMessage()
        if (message === null) return
        this.onmessage?.(message)
      } catch (error) {
        // a line that is no message: programs print to stdout what belongs to stderr
        this.onerror?.(error instanceof Error ? error : new Error(String(error)))
      }
    }
  }

  #killGroup(signal: NodeJS.Signals): void {
    const pid = this.#child?.pid
    if (pid === undefined) return
    try {
      process.kill(-pid, signal)
    } catch {
      // nothing is left of it
    }
  }
}
