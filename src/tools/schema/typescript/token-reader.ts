import { cannotDerive } from '#tools/schema/tool-schema.ts'
import type { Token } from './tokenize.ts'

const CLOSING: Record<string, string> = { '(': ')', '[': ']', '{': '}' }
const END: Token = { kind: 'end', text: 'the end', line: 0 }

/** Reads words one after the other; comments between them are skipped but for the last one. */
export class TokenReader {
  readonly tokens: readonly Token[]
  position: number
  /** The JSDoc comment directly before the next word. */
  doc: string | undefined

  constructor(tokens: readonly Token[], position = 0) {
    this.tokens = tokens
    this.position = position
    this.#skipDocs()
  }

  get next(): Token {
    return this.tokens[this.position] ?? this.tokens.at(-1) ?? END
  }

  /** The word after the next one, comments left out. */
  get second(): Token {
    return this.tokens.slice(this.position + 1, this.position + 4).find((token) => token.kind !== 'doc') ?? END
  }

  take(): Token {
    const token = this.next
    if (token.kind !== 'end') this.position += 1
    this.#skipDocs()
    return token
  }

  /** True, and the word is taken, where the next word is this one. */
  accept(text: string): boolean {
    if (!this.isAt(text)) return false
    this.take()
    return true
  }

  isAt(text: string): boolean {
    return this.next.text === text && (this.next.kind === 'punctuation' || this.next.kind === 'name')
  }

  expect(text: string): void {
    if (!this.accept(text)) throw this.refuse(`'${text}'`)
  }

  expectName(): string {
    if (this.next.kind !== 'name') throw this.refuse('a name')
    return this.take().text
  }

  refuse(expected: string) {
    return cannotDerive(
      `line ${this.next.line} of the TypeScript has '${this.next.text}' where ${expected} should stand, as far as this server reads it. Correct it, or give json_schema.`,
    )
  }

  /** Skips what is in brackets, if the next word opens them; else one word. */
  skip(): void {
    const open: string[] = []
    do {
      const token = this.take()
      const closing = token.kind === 'punctuation' ? CLOSING[token.text] : undefined
      if (token.kind === 'end') throw this.refuse(`'${open.at(-1)}'`)
      if (closing !== undefined) open.push(closing)
      else if (token.kind === 'punctuation' && token.text === open.at(-1)) open.pop()
    } while (open.length > 0)
  }

  #skipDocs(): void {
    this.doc = undefined
    for (; this.tokens[this.position]?.kind === 'doc'; this.position += 1) this.doc = this.tokens[this.position]?.text
  }
}
