import { zipSync } from 'fflate'
import mammoth from 'mammoth'
import { wholeHtmlToMarkdown } from './html-to-markdown.ts'
import { readOffice } from './read-office.ts'

/** A Word document as Markdown: headings, lists, tables, notes; pictures are left out. Throws UnreadableFile. */
export async function readDocx(bytes: Uint8Array): Promise<string> {
  // packed again from what was checked, without compression: the library believes what a zip file says of itself
  const buffer = Buffer.from(zipSync(Object.fromEntries(readOffice(bytes, 'word/document.xml')), { level: 0 }))
  const convertImage = mammoth.images.imgElement(async () => ({ src: '' }))
  const { value } = await mammoth.convertToHtml({ buffer }, { convertImage, externalFileAccess: false })
  return value === '' ? '' : wholeHtmlToMarkdown(withTableHeads(value.replaceAll('<img src="" />', '')))
}

/** Tables of Word seldom say which row is their head; Markdown has no table without one. */
const withTableHeads = (html: string): string =>
  html.replace(/<table><tr>.*?<\/tr>/gs, (start) => start.replace(/<(\/?)td\b/g, '<$1th'))
