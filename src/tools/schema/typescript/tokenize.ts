import { cannotDerive } from '#tools/schema/tool-schema.ts'

export interface Token {
  /** `doc` is a JSDoc comment, its text without the stars; `end` stands once, last. */
  kind: 'name' | 'text' | 'number' | 'template' | 'punctuation' | 'doc' | 'end'
  /** Of a text: its value, without the quotes. */
  text: string
  line: number
}

const SPACE_OR_COMMENT = /\s+|\/\/[^\n]*/y
const NAME = /[\p{ID_Start}$_#@][\p{ID_Continue}$\u200c\u200d]*/uy
const NUMBER = /0[xob][\da-f_]+n?|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:e[+-]?\d+)?n?/iy
const QUOTED = /'(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*"/y
// as long as people write them: what does not end would be looked for again and again
const REGEX = /\/(?![*/])(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.){0,500}\]){1,1000}\/[a-z]*/y
const PUNCTUATION = /=>|\.\.\.|[^\s\w]/uy

/** After these a slash begins a regular expression; after anything else it divides. */
const BEFORE_REGEX = /^(?:[=(,:[!&|?{;+\-*%<>~^]|=>|return|typeof|case|in|of|delete|void|throw|new|do|else)$/

const ESCAPES: Record<string, string> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', v: '\v', 0: '\0' }

/** Splits TypeScript into its words. Throws invalid_argument, with the line, for a text or comment that does not end. */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = []
  let position = 0
  let line = 1
  const match: Match = (pattern) => {
    pattern.lastIndex = position
    return pattern.exec(source)
  }
  const take = (kind: Token['kind'] | undefined, raw: string, text = raw) => {
    if (kind !== undefined) tokens.push({ kind, text, line })
    position += raw.length
    line += raw.split('\n').length - 1
  }
  while (position < source.length) {
    const space = match(SPACE_OR_COMMENT)
    const quoted = match(QUOTED)
    const word = match(NAME)
    if (space !== null) take(undefined, space[0])
    else if (source.startsWith('/*', position)) {
      const comment = source.slice(position, endOfComment(source, position, line))
      if (/^\/\*\*[^/]/.test(comment)) take('doc', comment, stripStars(comment.slice(3, -2)))
      else take(undefined, comment)
    } else if (quoted !== null) take('text', quoted[0], unescapeText(quoted[0].slice(1, -1)))
    else if (source[position] === '`') take('template', source.slice(position, endOfTemplate(source, position, line)))
    else if (word !== null) take('name', word[0])
    else take(...otherToken(match, tokens.at(-1), source[position] ?? '', line))
  }
  tokens.push({ kind: 'end', text: 'the end', line })
  return tokens
}

type Match = (pattern: RegExp) => RegExpExecArray | null

/** A number, a regular expression or a sign. */
function otherToken(match: Match, before: Token | undefined, next: string, line: number): [Token['kind'], string] {
  const number = match(NUMBER)
  if (number !== null) return ['number', number[0]]
  const mayBeRegex = before === undefined || BEFORE_REGEX.test(before.text)
  const regex = next === '/' && mayBeRegex ? match(REGEX) : null
  if (regex !== null) return ['text', regex[0]]
  const punctuation = match(PUNCTUATION)
  if (punctuation !== null && !/["'\\]/.test(next)) return ['punctuation', punctuation[0]]
  throw cannotDerive(
    `the source is not valid TypeScript: line ${line} has ${JSON.stringify(next)} that does not end or begin anything. Correct it.`,
  )
}

/** Position behind the end of a comment. */
function endOfComment(source: string, start: number, line: number): number {
  const end = source.indexOf('*/', start + 2)
  if (end >= 0) return end + 2
  throw cannotDerive(`the source is not valid TypeScript: the comment that begins in line ${line} does not end.`)
}

/** Position behind the closing back quote; what stands in `${…}` may have templates of its own. */
function endOfTemplate(source: string, start: number, line: number): number {
  const open: ('`' | '{')[] = ['`']
  for (let at = start + 1; at < source.length; at += 1) {
    const inText = open.at(-1) === '`'
    const character = source[at]
    if (character === '\\') at += 1
    else if (character === '`') {
      if (inText) open.pop()
      else open.push('`')
      if (open.length === 0) return at + 1
    } else if (inText && character === '$' && source[at + 1] === '{') {
      open.push('{')
      at += 1
    } else if (!inText && character === '{') open.push('{')
    else if (!inText && character === '}') open.pop()
  }
  throw cannotDerive(`the source is not valid TypeScript: the template that begins in line ${line} does not end.`)
}

const stripStars = (text: string): string =>
  text
    .split('\n')
    .map((row) => row.replace(/^\s*\* ?/, '').trimEnd())
    .join('\n')
    .trim()

const unescapeText = (text: string): string =>
  text.replace(/\\(u\{[\da-f]+\}|u[\da-f]{4}|x[\da-f]{2}|[\s\S])/gi, (_, sequence: string) => {
    const code = /^[ux]\{?([\da-f]+)\}?$/i.exec(sequence)?.[1]
    if (code !== undefined) return codePoint(Number.parseInt(code, 16))
    return Object.hasOwn(ESCAPES, sequence) ? (ESCAPES[sequence] ?? '') : sequence.replace('\n', '')
  })

const codePoint = (code: number): string => (code <= 0x10ffff ? String.fromCodePoint(code).toWellFormed() : '')
