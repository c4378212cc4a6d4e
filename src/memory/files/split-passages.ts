import { splitLines } from './split-lines.ts'

/** Some lines of a file, by which it is found. */
export interface Piece {
  /** Counted from 1. */
  startLine: number
  endLine: number
  text: string
}

/** About 300 tokens, V1's size of a chunk. */
const PIECE_CHARS = 1_200

/** Cuts a text into pieces of whole lines; only a line that is longer than a piece is cut itself. Blank pieces are left out. */
export function splitPassages(text: string): Piece[] {
  const pieces: Piece[] = []
  let current: string[] = []
  let size = 0
  let startLine = 1
  const flush = (endLine: number) => {
    const joined = current.join('\n')
    if (joined.trim() !== '') pieces.push({ startLine, endLine, text: joined })
    current = []
    size = 0
    startLine = endLine + 1
  }
  for (const [index, line] of splitLines(text).entries()) {
    const number = index + 1
    if (size > 0 && size + line.length > PIECE_CHARS) flush(number - 1)
    if (line.length > PIECE_CHARS) {
      for (const part of splitLongLine(line)) {
        if (part.trim() !== '') pieces.push({ startLine: number, endLine: number, text: part })
      }
      startLine = number + 1
      continue
    }
    current.push(line)
    size += line.length + 1
  }
  if (current.length > 0) flush(startLine + current.length - 1)
  return pieces
}

/** Pieces of one line, cut between words where there are any. */
function splitLongLine(line: string): string[] {
  const parts: string[] = []
  for (let at = 0; at < line.length; ) {
    let end = Math.min(at + PIECE_CHARS, line.length)
    if (end < line.length) {
      // in this piece alone: a line may have millions of characters and no blank
      const blank = line.slice(at, end + 1).lastIndexOf(' ')
      if (blank > PIECE_CHARS / 2) end = at + blank + 1
      // not between the halves of a surrogate pair
      else if (/[\uD800-\uDBFF]/.test(line[end - 1] ?? '')) end -= 1
    }
    parts.push(line.slice(at, end))
    at = end
  }
  return parts
}
