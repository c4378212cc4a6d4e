import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { setPriority } from 'node:os'
import type { Readable, Writable } from 'node:stream'
import type { DenoLaunch } from './deno-launch.ts'

export interface ProcessEnd {
  code: number | null
  signal: NodeJS.Signals | null
}

/** Why the server ended a process before it had replied. */
export type FloodedStream = 'stdout' | 'stderr'

const NICENESS = 10
/** A line longer than this is no frame of ours. */
const MAX_LINE_BYTES = 24 * 1024 * 1024
const MAX_STDERR_BYTES = 4 * 1024 * 1024
/** Of standard error, so much is kept. */
const KEPT_STDERR_CHARS = 64 * 1024
const NEWLINE = 10

/** One Deno, for one call: what it writes is taken line by line, and its whole process group is killed in the end. */
export class DenoProcess {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>
  readonly #ready = Promise.withResolvers<boolean>()
  readonly #ended = Promise.withResolvers<ProcessEnd>()
  #chunks: Buffer[] = []
  #lineBytes = 0
  #totalBytes = 0
  #stderrBytes = 0
  #isReady = false
  /** Gets each line of standard output, without its end. */
  onLine: (line: string) => void = () => undefined
  /** Gets all that comes after the line that tells that it is ready, instead of lines. */
  onChunk: ((chunk: Buffer) => void) | undefined
  /** Bytes of standard output after which the process is killed. */
  maxBytes = MAX_LINE_BYTES
  stderr = ''
  flooded: FloodedStream | undefined

  constructor({ command, args, env }: DenoLaunch) {
    this.#child = spawn(command, args, { env, cwd: '/', detached: true, stdio: ['pipe', 'pipe', 'pipe'] })
    this.#lowerPriority()
    this.#child.stdout.on('data', (chunk: Buffer) => this.#take(chunk))
    this.#child.stderr.on('data', (chunk: Buffer) => this.#takeError(chunk))
    // it may be gone when it is written to; then its end tells
    this.#child.stdin.on('error', () => undefined)
    this.#child.on('error', (error) => {
      this.stderr += error.message
      this.#finish({ code: null, signal: null })
    })
    this.#child.on('exit', (code, signal) => this.#finish({ code, signal }))
  }

  /** False when it ended before it could take a call. */
  get ready(): Promise<boolean> {
    return this.#ready.promise
  }

  get isReady(): boolean {
    return this.#isReady
  }

  get ended(): Promise<ProcessEnd> {
    return this.#ended.promise
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  send(line: string): void {
    this.#child.stdin.write(`${line}\n`)
  }

  /** What is in its pipes has been read when this is done. */
  async drained(): Promise<void> {
    await Promise.all([this.#child.stdout, this.#child.stderr].map(closed))
  }

  /** Kills it with whatever it has started, and waits until it is gone. */
  async kill(): Promise<ProcessEnd> {
    const { pid } = this.#child
    if (pid !== undefined) {
      try {
        process.kill(-pid, 'SIGKILL')
      } catch {
        // gone already
      }
    }
    return await this.#ended.promise
  }

  #lowerPriority(): void {
    try {
      if (this.#child.pid !== undefined) setPriority(this.#child.pid, NICENESS)
    } catch {
      // it has ended, or the system does not let us
    }
  }

  #finish(end: ProcessEnd): void {
    this.#ready.resolve(false)
    this.#ended.resolve(end)
  }

  #take(chunk: Buffer): void {
    this.#totalBytes += chunk.length
    if (this.#totalBytes > this.maxBytes || this.#lineBytes > MAX_LINE_BYTES) this.#refuse('stdout')
    else if (this.#isReady && this.onChunk !== undefined) this.onChunk(chunk)
    else this.#takeLines(chunk)
  }

  #takeLines(chunk: Buffer): void {
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      // floods of empty lines cost next to nothing
      if (end > start || this.#chunks.length > 0) this.#takeLine(chunk.subarray(start, end))
      start = end + 1
    }
    if (start < chunk.length) {
      this.#chunks.push(chunk.subarray(start))
      this.#lineBytes += chunk.length - start
    }
  }

  #takeLine(last: Buffer): void {
    const line = (this.#chunks.length === 0 ? last : Buffer.concat([...this.#chunks, last])).toString('utf8')
    this.#chunks = []
    this.#lineBytes = 0
    if (this.#isReady) this.onLine(line)
    else if (line === 'ready') {
      this.#isReady = true
      this.#ready.resolve(true)
    }
  }

  #takeError(chunk: Buffer): void {
    this.#stderrBytes += chunk.length
    if (this.#stderrBytes > MAX_STDERR_BYTES) this.#refuse('stderr')
    else if (this.stderr.length < KEPT_STDERR_CHARS) this.stderr += chunk.toString('utf8')
  }

  #refuse(stream: FloodedStream): void {
    if (this.flooded !== undefined) return
    this.flooded = stream
    this.#chunks = []
    this.#child.stdout.destroy()
    this.#child.stderr.destroy()
    void this.kill()
  }
}

const closed = (stream: Readable): Promise<void> =>
  stream.closed ? Promise.resolve() : new Promise((resolve) => stream.once('close', () => resolve()))
