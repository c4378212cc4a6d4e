/** The lines of a text as an editor counts them: a line break at the end begins no further line. An empty text has none. */
export function splitLines(text: string): string[] {
  if (text === '') return []
  const lines = text.split(/\r\n|\r|\n/)
  if (lines.at(-1) === '') lines.pop()
  return lines
}
