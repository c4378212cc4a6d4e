import type { ToolOutput } from '#tools/sandbox/tool-runner.ts'

export type OutputStream = 'stdout' | 'stderr'

/** Gathers what a call writes, at most so many characters of each stream. */
export class CallOutput {
  readonly #maxChars: number
  readonly #texts: Record<OutputStream, string[]> = { stdout: [], stderr: [] }
  readonly #chars: Record<OutputStream, number> = { stdout: 0, stderr: 0 }
  readonly #isCut: Record<OutputStream, boolean> = { stdout: false, stderr: false }

  constructor(maxChars: number) {
    this.#maxChars = maxChars
  }

  add(stream: OutputStream, text: string): void {
    const room = this.#maxChars - this.#chars[stream]
    if (text.length > room) this.#isCut[stream] = true
    if (room <= 0) return
    this.#texts[stream].push(text.slice(0, room))
    this.#chars[stream] += text.length
  }

  markCut(stream: OutputStream): void {
    this.#isCut[stream] = true
  }

  toLines(): ToolOutput {
    return { stdout: this.#linesOf('stdout'), stderr: this.#linesOf('stderr') }
  }

  #linesOf(stream: OutputStream): string[] {
    const text = toSafe(this.#texts[stream].join('')).replace(/\n$/, '')
    const lines = text === '' ? [] : text.split('\n')
    if (this.#isCut[stream]) lines.push(`… (what follows was dropped: more than ${this.#maxChars} characters)`)
    return lines
  }
}

/** The database takes neither half a character nor NUL. */
export const toSafe = (text: string): string => text.toWellFormed().replaceAll('\0', '\ufffd')
