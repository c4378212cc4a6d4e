/** A piece of a call's arguments: of the text of a member that is read apart, or (`key` null) of the JSON without those. */
export interface ArgumentPiece {
  key: string | null
  text: string
}

const ESCAPES: Record<string, string> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' }

/**
 * Reads the JSON text of an object while it comes and takes some of its members out of it: their strings are given decoded,
 * piece by piece. What cannot be read as an object is passed on as it is.
 */
export class ArgumentScanner {
  readonly #apart: ReadonlySet<string>
  #state: 'start' | 'key-or-end' | 'key' | 'colon' | 'value' | 'apart' | 'raw' | 'over' | 'unreadable' = 'start'
  #key = ''
  #depth = 0
  #isInString = false
  #isEscaped = false
  #unicode: string | null = null
  /** First half of a character whose second half is to come. */
  #half = ''
  #kept = 0
  #pieces: ArgumentPiece[] = []

  constructor(apart: ReadonlySet<string>) {
    this.#apart = apart
  }

  write(chunk: string): ArgumentPiece[] {
    for (const char of chunk) this.#read(char)
    const pieces = this.#pieces
    this.#pieces = []
    return pieces
  }

  #give(key: string | null, text: string): void {
    const last = this.#pieces.at(-1)
    if (last?.key === key) last.text += text
    else this.#pieces.push({ key, text })
  }

  #read(char: string): void {
    if (this.#state === 'unreadable') this.#give(null, char)
    else if (this.#state === 'start') this.#start(char)
    else if (this.#state === 'key-or-end') this.#keyOrEnd(char)
    else if (this.#state === 'key') this.#readKey(char)
    else if (this.#state === 'colon') {
      if (char === ':') this.#state = 'value'
    } else if (this.#state === 'value') this.#value(char)
    else if (this.#state === 'apart') this.#readApart(char)
    else if (this.#state === 'raw') this.#readRaw(char)
  }

  #start(char: string): void {
    if (/\s/.test(char)) return
    // the brace waits for the first member that is kept: what is read apart comes before the rest
    if (char !== '{') this.#give(null, char)
    this.#state = char === '{' ? 'key-or-end' : 'unreadable'
  }

  #keyOrEnd(char: string): void {
    if (char === '"') {
      this.#key = ''
      this.#state = 'key'
    } else if (char === '}') this.#end()
    else if (char !== ',' && !/\s/.test(char)) {
      this.#give(null, (this.#kept > 0 ? '' : '{') + char)
      this.#state = 'unreadable'
    }
  }

  #readKey(char: string): void {
    if (this.#isEscaped) {
      this.#isEscaped = false
      this.#key += char
    } else if (char === '"') this.#state = 'colon'
    else {
      this.#isEscaped = char === '\\'
      this.#key += char
    }
  }

  #value(char: string): void {
    if (/\s/.test(char)) return
    if (char === '"' && this.#apart.has(this.#key)) {
      this.#state = 'apart'
      return
    }
    this.#give(null, `${this.#kept > 0 ? ',' : '{'}"${this.#key}":`)
    this.#kept += 1
    this.#depth = 0
    this.#state = 'raw'
    this.#readRaw(char)
  }

  #readApart(char: string): void {
    if (this.#unicode !== null) {
      this.#unicode += char
      if (this.#unicode.length < 4) return
      const unit = String.fromCharCode(Number.parseInt(this.#unicode, 16))
      this.#unicode = null
      if (/[\ud800-\udbff]/.test(unit)) this.#half = unit
      else {
        this.#give(this.#key, this.#half + unit)
        this.#half = ''
      }
    } else if (this.#isEscaped) {
      this.#isEscaped = false
      if (char === 'u') this.#unicode = ''
      else this.#give(this.#key, ESCAPES[char] ?? char)
    } else if (char === '\\') this.#isEscaped = true
    else if (char === '"') this.#state = 'key-or-end'
    else this.#give(this.#key, char)
  }

  #readRaw(char: string): void {
    if (this.#isInString) {
      if (this.#isEscaped) this.#isEscaped = false
      else if (char === '\\') this.#isEscaped = true
      else if (char === '"') this.#isInString = false
    } else if (char === '"') this.#isInString = true
    else if (char === '{' || char === '[') this.#depth += 1
    else if (this.#depth > 0 && (char === '}' || char === ']')) this.#depth -= 1
    else if (this.#depth === 0 && (char === '}' || char === ',')) {
      if (char === ',') this.#state = 'key-or-end'
      else this.#end()
      return
    }
    this.#give(null, char)
  }

  #end(): void {
    this.#give(null, this.#kept > 0 ? '}' : '{}')
    this.#state = 'over'
  }
}
