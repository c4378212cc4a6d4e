import type { LinePattern } from './compile-pattern.ts'
import { splitLines } from './split-lines.ts'

/** A line that matches, with those around it. */
export interface GrepMatch {
  /** Counted from 1. */
  line: number
  /** The line and its neighbours, in order. */
  lines: { number: number; text: string }[]
}

export interface GrepRequest {
  text: string
  contextLines: number
  maxMatches: number
}

/** Characters of a line that are shown. */
const MAX_LINE_CHARS = 500

const cut = (line: string): string =>
  line.length <= MAX_LINE_CHARS ? line : `${line.slice(0, MAX_LINE_CHARS).toWellFormed()}…`

/** The lines of a text that a pattern matches. Takes as long as the pattern wants: run it where it can be stopped. */
export function grepLines(pattern: LinePattern, { text, contextLines, maxMatches }: GrepRequest): GrepMatch[] {
  const lines = splitLines(text)
  const matches: GrepMatch[] = []
  for (const [index, line] of lines.entries()) {
    if (!pattern.test(line)) continue
    const from = Math.max(index - contextLines, 0)
    const around = lines.slice(from, index + contextLines + 1)
    matches.push({
      line: index + 1,
      lines: around.map((neighbour, offset) => ({ number: from + offset + 1, text: cut(neighbour) })),
    })
    if (matches.length === maxMatches) break
  }
  return matches
}
