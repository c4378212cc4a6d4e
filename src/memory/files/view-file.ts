import { splitLines } from './split-lines.ts'

const TRUNCATION_NOTE = '...[TRUNCATED]\n# NOTE: This block is truncated, use functions to view the full content.'

export interface LineRange {
  /** Counted from 1, both inclusive. */
  start: number
  end: number
}

/**
 * What is shown of a file: a header, and its lines with the numbers that they have in the file, cut after `limit` characters.
 * Without a range `text` may be the beginning alone, as long as it has `limit` characters.
 */
export function viewFile(text: string, file: { lineCount: number; range: LineRange | null }, limit: number): string {
  const { lineCount, range } = file
  const lines = splitLines(text)
  const first = range?.start ?? 1
  const shown = range === null ? lines : lines.slice(range.start - 1, range.end)
  const header =
    range === null
      ? `[Viewing file start (out of ${lineCount} lines)]`
      : `[Viewing lines ${range.start} to ${range.end} (out of ${lineCount} lines)]`
  return cutView([header, ...shown.map((line, index) => `${first + index}: ${line}`)].join('\n'), limit)
}

/** At most so many characters, and a note where some are missing. Cutting twice is cutting at the smaller limit. */
export function cutView(view: string, limit: number): string {
  const whole = view.endsWith(TRUNCATION_NOTE) ? view.slice(0, -TRUNCATION_NOTE.length) : view
  if (whole.length <= limit) return view
  return whole.slice(0, limit).toWellFormed() + TRUNCATION_NOTE
}
