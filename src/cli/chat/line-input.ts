import { createInterface, type Interface } from 'node:readline'
import { Writable } from 'node:stream'
import { styleText } from 'node:util'
import type { ChatStreams } from './screen.ts'

/** bin/perdure.mjs passes on the Ctrl-C that the terminal has sent to both: the same keystroke arrives twice. */
const SAME_KEYSTROKE_MS = 500

/**
 * The lines of the user: with history and editing on a terminal, as they come from a pipe. One interface for the whole chat,
 * so that what is pasted or typed while the agent speaks is not lost; it is not echoed then.
 */
export class LineInput implements Disposable {
  readonly isTerminal: boolean
  readonly #output: ChatStreams['output']
  readonly #lines: string[] = []
  readonly #interface: Interface
  readonly #stopListening: () => void
  #waiting: ((line: string | undefined) => void) | undefined
  #isClosed = false
  #isEchoing = false
  #onInterrupt: (() => void) | undefined
  #interruptedAt = Number.NEGATIVE_INFINITY

  constructor({ input, output, onInterrupt }: ChatStreams) {
    this.#output = output
    this.isTerminal = input.isTTY === true && output.isTTY === true
    this.#interface = createInterface({
      input,
      ...(this.isTerminal ? { output: this.#echo(), historySize: 500, removeHistoryDuplicates: true } : {}),
      terminal: this.isTerminal,
    })
    this.#interface.on('line', (line) => this.#receive(line))
    this.#interface.on('close', () => {
      this.#isClosed = true
      if (this.#isEchoing) this.#output.write('\n')
      this.#give(undefined)
    })
    this.#interface.on('SIGINT', () => this.#interrupt())
    this.#stopListening = onInterrupt(() => this.#interrupt())
  }

  /** The next line; undefined at the end: Ctrl-D, Ctrl-C at the prompt, the end of the pipe. */
  async next(prompt: string): Promise<string | undefined> {
    const line = this.#lines.shift()
    // it came while the agent spoke, and was not seen then
    if (line !== undefined && this.isTerminal) this.#output.write(`${prompt}${line}\n`)
    if (line !== undefined || this.#isClosed) return line
    const { promise, resolve } = Promise.withResolvers<string | undefined>()
    this.#waiting = resolve
    if (this.isTerminal) {
      this.#isEchoing = true
      this.#interface.setPrompt(styleText('cyan', prompt))
      this.#interface.prompt(true)
    }
    return promise
  }

  /** While `work` goes on, Ctrl-C calls `onInterrupt` instead of ending the chat. */
  async whileInterruptible<Result>(onInterrupt: () => void, work: () => Promise<Result>): Promise<Result> {
    this.#onInterrupt = onInterrupt
    try {
      return await work()
    } finally {
      this.#onInterrupt = undefined
    }
  }

  [Symbol.dispose](): void {
    this.#stopListening()
    this.#interface.close()
  }

  #receive(line: string): void {
    if (this.#waiting === undefined) this.#lines.push(line)
    else this.#give(line)
  }

  #give(line: string | undefined): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    this.#isEchoing = false
    waiting?.(line)
  }

  #interrupt(): void {
    const now = performance.now()
    const isSame = now - this.#interruptedAt < SAME_KEYSTROKE_MS
    this.#interruptedAt = now
    if (isSame) return
    if (this.#onInterrupt === undefined) this.#interface.close()
    else this.#onInterrupt()
  }

  /** The terminal as readline sees it: silent while it is not the user's turn. */
  #echo(): Writable {
    const output = this.#output
    const echo = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        if (this.#isEchoing) output.write(chunk)
        done()
      },
    })
    return Object.defineProperty(echo, 'columns', { get: () => output.columns ?? 80 })
  }
}
