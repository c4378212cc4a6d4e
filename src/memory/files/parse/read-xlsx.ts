import ExcelJS, { type CellValue, type Worksheet } from 'exceljs'
import { zipSync } from 'fflate'
import { markdownTable } from './markdown-table.ts'
import { readOffice } from './read-office.ts'
import { UnreadableFile } from './unreadable-file.ts'

/** A cell costs the library about 300 bytes. */
const MAX_CELLS = 1_000_000
/** What a table may have: a few cells far apart make a wide one. */
const MAX_TABLE_CELLS = 5_000_000

/** What the library would spread over every cell of a range, such as all 17 thousand million of a sheet; none of it is text. */
const IGNORED = [
  'dataValidations',
  'conditionalFormatting',
  'mergeCells',
  'autoFilter',
  'hyperlinks',
  'drawing',
  'picture',
  'tableParts',
  'extLst',
]

/**
 * A workbook as Markdown: each sheet a table, with the values that Excel computed last, and dates as 2026-12-01. Rows without anything in them
 * are left out. Throws UnreadableFile.
 */
export async function readXlsx(bytes: Uint8Array): Promise<string> {
  const parts = readOffice(bytes, 'xl/workbook.xml')
  for (const name of parts.keys()) if (!isNeeded(name)) parts.delete(name)
  checkCells(parts)
  const workbook = new ExcelJS.Workbook()
  const packed = zipSync(Object.fromEntries(parts), { level: 0 })
  const buffer = packed.buffer.slice(packed.byteOffset, packed.byteOffset + packed.byteLength) as ArrayBuffer
  await workbook.xlsx.load(buffer, { ignoreNodes: IGNORED })
  return workbook.worksheets.map((sheet) => `## ${sheet.name}\n\n${sheetToMarkdown(sheet)}`.trim()).join('\n\n')
}

const isNeeded = (name: string): boolean =>
  /^(\[Content_Types\]\.xml|_rels\/\.rels|xl\/(workbook|sharedStrings|styles)\.xml|xl\/_rels\/workbook\.xml\.rels|xl\/worksheets\/[^/]+\.xml)$/.test(
    name,
  )

function checkCells(parts: ReadonlyMap<string, Uint8Array>): void {
  let count = 0
  for (const [name, part] of parts) {
    if (!name.startsWith('xl/worksheets/')) continue
    const text = Buffer.from(part.buffer, part.byteOffset, part.byteLength)
    for (let at = text.indexOf('<c '); at >= 0; at = text.indexOf('<c ', at + 3)) count += 1
  }
  if (count > MAX_CELLS) {
    throw new UnreadableFile(`The file has ${count} cells, more than ${MAX_CELLS}. Split it, or upload it as CSV.`)
  }
}

function sheetToMarkdown(sheet: Worksheet): string {
  const rows: (string | undefined)[][] = []
  const used = new Set<number>()
  sheet.eachRow({ includeEmpty: false }, (row) => {
    const cells: (string | undefined)[] = []
    row.eachCell({ includeEmpty: false }, (cell, column) => {
      cells[column] = textOf(cell.value)
      used.add(column)
    })
    if (cells.length > 0) rows.push(cells)
  })
  if (rows.length * used.size > MAX_TABLE_CELLS) {
    throw new UnreadableFile(
      `The sheet ${sheet.name} has ${rows.length} rows and ${used.size} columns: too many. Split it.`,
    )
  }
  return rows.length === 0 ? '' : markdownTable(rows)
}

function textOf(value: CellValue): string {
  if (value === null || value === undefined) return ''
  if (value instanceof Date) return dateText(value)
  if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE'
  if (typeof value !== 'object') return String(value)
  if ('richText' in value) return value.richText.map((run) => run.text).join('')
  if ('error' in value) return value.error
  if ('text' in value) return textOf(value.text as CellValue)
  if ('formula' in value || 'sharedFormula' in value) return textOf(value.result as CellValue)
  return ''
}

/** Excel has no time zones: what it shows is what stands here. */
function dateText(date: Date): string {
  if (Number.isNaN(date.getTime())) return ''
  const [day = '', time = ''] = date.toISOString().split('T')
  return time.startsWith('00:00:00') ? day : `${day} ${time.slice(0, 8)}`
}
