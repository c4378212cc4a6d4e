import type { StmtNode } from 'py-ast'

export interface Docstring {
  /** Everything before the first section. */
  summary: string
  /** What is said of each parameter, by its name. */
  args: Map<string, string>
}

const ARGS_HEADING = /^(args|arguments|parameters|params|attributes|keyword args|keyword arguments|other parameters):$/i
const OTHER_HEADING =
  /^((returns?|yields?|raises|receives):.*|(examples?|notes?|references|see also|todo|warnings?|warns|usage):)$/i
// None of these looks at a character more than a few times, whatever the text is: it comes from anybody.
/** `name: text`, `name (type): text`, `*args: text`. */
const ENTRY = /^\*{0,2}(\w+)(?:\s*(?:\([^:]*\)|\(.*?\)))?\s*:(?:\s+(.*))?$/s
/** The same in reStructuredText: `:param int name: text`. */
const REST_ENTRY = /^:(?:param|parameter|arg|argument)\s([^:]*):(.*)$/s
const REST_FIELD = /^:\w[^:]*:/
const BULLET = /^([-*•]|\d+[.)])\s/

/** The docstring of a function's or class's body; undefined where there is none. */
export function findDocstring(body: readonly StmtNode[]): Docstring | undefined {
  const [first] = body
  if (first?.nodeType !== 'Expr' || first.value.nodeType !== 'Constant') return undefined
  const { value, quote_style } = first.value
  if (typeof value !== 'string' || quote_style === undefined || quote_style.toLowerCase().includes('b'))
    return undefined
  return readDocstring(value)
}

/** Reads Google's style, with descriptions over several lines, and the `:param name:` of reStructuredText. */
export function readDocstring(text: string): Docstring {
  const lines = dedent(text)
  const args = new Map<string, string>()
  const summary: string[] = []
  let section: 'summary' | 'args' | 'other' = 'summary'
  let reader = new EntryReader(args)
  for (const line of lines) {
    const content = line.trim()
    const isOutermost = content !== '' && indentOf(line) === 0
    if (isOutermost && ARGS_HEADING.test(content)) {
      section = 'args'
      reader = new EntryReader(args)
    } else if (isOutermost && OTHER_HEADING.test(content)) section = 'other'
    else if (isOutermost && REST_FIELD.test(content)) {
      section = 'args'
      reader = new EntryReader(args)
      reader.readRest(content)
    } else if (section === 'summary') summary.push(line)
    else if (section === 'args') {
      // text at the left margin after a section is neither an entry nor the summary
      if (isOutermost) section = 'other'
      else reader.read(line, content)
    }
  }
  return { summary: joinParagraphs(summary), args }
}

/** Collects `name: text` with the lines that belong to it. */
class EntryReader {
  readonly #args: Map<string, string>
  #indent: number | undefined
  #name: string | undefined

  constructor(args: Map<string, string>) {
    this.#args = args
  }

  read(line: string, content: string): void {
    if (content === '') return
    const indent = indentOf(line)
    this.#indent ??= indent
    const entry = indent <= this.#indent ? ENTRY.exec(content) : null
    if (entry?.[1] !== undefined) {
      this.#name = entry[1]
      this.#args.set(this.#name, entry[2] ?? '')
    } else this.#append(content)
  }

  readRest(content: string): void {
    const entry = REST_ENTRY.exec(content)
    this.#name = entry?.[1]?.trim().split(/\s+/).at(-1)?.replace(/^\*+/, '')
    this.#indent = -1
    if (this.#name !== undefined) this.#args.set(this.#name, entry?.[2]?.trim() ?? '')
  }

  #append(content: string): void {
    if (this.#name === undefined) return
    const before = this.#args.get(this.#name) ?? ''
    const glue = before === '' ? '' : BULLET.test(content) ? '\n' : ' '
    this.#args.set(this.#name, before + glue + content)
  }
}

const indentOf = (line: string): number => line.length - line.trimStart().length

/** Lines without the indentation that all but the first share. */
function dedent(text: string): string[] {
  const [first = '', ...rest] = text.replaceAll('\t', '        ').split('\n')
  const margin = Math.min(...rest.filter((line) => line.trim() !== '').map(indentOf))
  return [first.trimStart(), ...rest.map((line) => line.slice(Number.isFinite(margin) ? margin : 0))].map((line) =>
    line.trimEnd(),
  )
}

function joinParagraphs(lines: readonly string[]): string {
  return lines
    .join('\n')
    .trim()
    .replace(/\n{3,}/g, '\n\n')
}
