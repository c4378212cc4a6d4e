const toCell = (text: string): string =>
  text
    .replace(/\s*[\r\n]+\s*/g, ' ')
    .replaceAll('|', '\\|')
    .trim()

/** Rows as a table of Markdown, one line each; the first is its head. Columns in which nothing stands are left out. */
export function markdownTable(rows: readonly (readonly (string | undefined)[])[]): string {
  const used = new Set<number>()
  for (const row of rows) {
    // forEach passes over the holes of a sparse row
    row.forEach((cell, column) => {
      if (cell !== undefined && cell !== '') used.add(column)
    })
  }
  const columns = [...used].sort((a, b) => a - b)
  const lines = rows.map((row) => `| ${columns.map((column) => toCell(row[column] ?? '')).join(' | ')} |`)
  lines.splice(1, 0, `| ${columns.map(() => '---').join(' | ')} |`)
  return columns.length === 0 ? '' : lines.join('\n')
}
