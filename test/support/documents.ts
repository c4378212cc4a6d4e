import ExcelJS from 'exceljs'
import { strToU8, zipSync } from 'fflate'

const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
const RELATIONS = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'
const TYPES = 'application/vnd.openxmlformats-officedocument'

const toXml = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

const relationsXml = (relations: readonly { id: string; type: string; target: string }[]): string =>
  `${XML}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${relations
    .map(({ id, type, target }) => `<Relationship Id="${id}" Type="${RELATIONS}/${type}" Target="${target}"/>`)
    .join('')}</Relationships>`

const typesXml = (overrides: Record<string, string>): string =>
  `${XML}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>${Object.entries(
    overrides,
  )
    .map(([name, type]) => `<Override PartName="/${name}" ContentType="${TYPES}.${type}+xml"/>`)
    .join('')}</Types>`

/** A zip file of texts or bytes. */
export const zipOf = (parts: Record<string, string | Uint8Array>): Uint8Array =>
  zipSync(
    Object.fromEntries(
      Object.entries(parts).map(([name, part]) => [name, typeof part === 'string' ? strToU8(part) : part]),
    ),
  )

/** The parts of a Word document: a paragraph of each text, `# ` in front makes a heading, and a table of rows. */
export function docxParts(content: readonly (string | string[][])[]): Record<string, string> {
  const run = (text: string) => `<w:r><w:t xml:space="preserve">${toXml(text)}</w:t></w:r>`
  const body = content.map((item) => {
    if (typeof item !== 'string') {
      const cell = (text: string) => `<w:tc><w:p>${run(text)}</w:p></w:tc>`
      return `<w:tbl>${item.map((row) => `<w:tr>${row.map(cell).join('')}</w:tr>`).join('')}</w:tbl>`
    }
    const isHeading = item.startsWith('# ')
    const style = isHeading ? '<w:pPr><w:pStyle w:val="Heading1"/></w:pPr>' : ''
    return `<w:p>${style}${run(isHeading ? item.slice(2) : item)}</w:p>`
  })
  return {
    '[Content_Types].xml': typesXml({ 'word/document.xml': 'wordprocessingml.document.main' }),
    '_rels/.rels': relationsXml([{ id: 'rId1', type: 'officeDocument', target: 'word/document.xml' }]),
    'word/document.xml': `${XML}<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>${body.join('')}</w:body></w:document>`,
  }
}

export const makeDocx = (content: readonly (string | string[][])[]): Uint8Array => zipOf(docxParts(content))

interface Slide {
  title: string
  lines: string[]
  table?: string[][]
  notes?: string
}

/** A presentation; its files are numbered against the order of the show. */
export function makePptx(slides: readonly Slide[]): Uint8Array {
  const names =
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
  const paragraph = (text: string) => `<a:p><a:r><a:t>${toXml(text)}</a:t></a:r></a:p>`
  const shape = (type: string, lines: readonly string[]) =>
    `<p:sp><p:nvSpPr><p:nvPr><p:ph type="${type}"/></p:nvPr></p:nvSpPr><p:txBody>${lines.map(paragraph).join('')}</p:txBody></p:sp>`
  const tableOf = (rows: readonly string[][]) =>
    `<p:graphicFrame><a:tbl>${rows
      .map(
        (row) => `<a:tr>${row.map((cell) => `<a:tc><a:txBody>${paragraph(cell)}</a:txBody></a:tc>`).join('')}</a:tr>`,
      )
      .join('')}</a:tbl></p:graphicFrame>`
  const numberOf = (index: number) => slides.length - index
  const parts: Record<string, string> = {
    '[Content_Types].xml': typesXml({ 'ppt/presentation.xml': 'presentationml.presentation.main' }),
    '_rels/.rels': relationsXml([{ id: 'rId1', type: 'officeDocument', target: 'ppt/presentation.xml' }]),
    'ppt/presentation.xml': `${XML}<p:presentation ${names}><p:sldIdLst>${slides
      .map((_, index) => `<p:sldId id="${256 + index}" r:id="rId${index + 1}"/>`)
      .join('')}</p:sldIdLst></p:presentation>`,
    'ppt/_rels/presentation.xml.rels': relationsXml(
      slides.map((_, index) => ({
        id: `rId${index + 1}`,
        type: 'slide',
        target: `slides/slide${numberOf(index)}.xml`,
      })),
    ),
  }
  for (const [index, { title, lines, table, notes }] of slides.entries()) {
    const number = numberOf(index)
    const shapes = [shape('title', [title]), shape('body', lines), shape('sldNum', [String(number)])]
    if (table !== undefined) shapes.push(tableOf(table))
    parts[`ppt/slides/slide${number}.xml`] =
      `${XML}<p:sld ${names}><p:cSld><p:spTree>${shapes.join('')}</p:spTree></p:cSld></p:sld>`
    if (notes === undefined) continue
    const target = `../notesSlides/notesSlide${number}.xml`
    parts[`ppt/slides/_rels/slide${number}.xml.rels`] = relationsXml([{ id: 'rId1', type: 'notesSlide', target }])
    parts[`ppt/notesSlides/notesSlide${number}.xml`] = `${XML}<p:notes ${names}>${shape('body', [notes])}</p:notes>`
  }
  return zipOf(parts)
}

export type Cell = string | number | boolean | Date | null | { formula: string; result: number | string }

export async function makeXlsx(sheets: Record<string, Cell[][]>): Promise<Uint8Array> {
  const workbook = new ExcelJS.Workbook()
  for (const [name, rows] of Object.entries(sheets)) workbook.addWorksheet(name).addRows(rows)
  return new Uint8Array(await workbook.xlsx.writeBuffer())
}

/** A PDF with these lines on its pages, in a font that every reader has, and with a table of references that is right. */
export function makePdf(pages: readonly string[][], more: { trailer?: string; objects?: string[] } = {}): Buffer {
  const objects: string[] = ['<</Type/Catalog/Pages 2 0 R>>']
  const first = 4
  const kids = pages.map((_, index) => `${first + index * 2} 0 R`)
  objects.push(`<</Type/Pages/Kids[${kids.join(' ')}]/Count ${pages.length}>>`)
  objects.push('<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>')
  for (const [index, lines] of pages.entries()) {
    const shown = lines.map((line) => `(${line.replace(/[\\()]/g, '\\$&')}) Tj 0 -20 Td`).join(' ')
    const content = `BT /F1 12 Tf 10 700 Td ${shown} ET`
    objects.push(
      `<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents ${first + index * 2 + 1} 0 R/Resources<</Font<</F1 3 0 R>>>>>>`,
      `<</Length ${content.length}>>stream\n${content}\nendstream`,
    )
  }
  objects.push(...(more.objects ?? []))
  let file = '%PDF-1.4\n'
  const offsets = objects.map((object, index) => {
    const offset = file.length
    file += `${index + 1} 0 obj\n${object}\nendobj\n`
    return `${String(offset).padStart(10, '0')} 00000 n \n`
  })
  const start = file.length
  const trailer = `<</Size ${objects.length + 1}/Root 1 0 R${more.trailer ?? ''}>>`
  file += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${offsets.join('')}trailer${trailer}\nstartxref\n${start}\n%%EOF\n`
  return Buffer.from(file, 'latin1')
}
