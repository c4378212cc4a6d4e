import { getDocumentProxy } from 'unpdf'
import { UnreadableFile } from './unreadable-file.ts'

const MAX_PAGES = 5_000

type PdfDocument = Awaited<ReturnType<typeof getDocumentProxy>>

/** The text of a PDF, page after page under headings of their numbers. Throws UnreadableFile. */
export async function readPdf(bytes: Uint8Array): Promise<string> {
  const document = await open(bytes)
  if (document.numPages > MAX_PAGES) {
    throw new UnreadableFile(`The file has ${document.numPages} pages, more than ${MAX_PAGES}. Split it.`)
  }
  const pages: string[] = []
  let hasText = false
  for (let number = 1; number <= document.numPages; number += 1) {
    const text = await readPage(document, number)
    if (text !== '') hasText = true
    pages.push(`## Page ${number}\n\n${text}`.trim())
  }
  if (!hasText) {
    throw new UnreadableFile(
      'The file has no text, only pictures of it. Have the text recognised (OCR) by another program and upload that.',
    )
  }
  return pages.join('\n\n')
}

async function open(bytes: Uint8Array): Promise<PdfDocument> {
  try {
    // a copy: the library takes it away
    return await getDocumentProxy(new Uint8Array(bytes), { verbosity: 0 })
  } catch (error) {
    const { name, message } = error as Error
    if (name === 'PasswordException') {
      throw new UnreadableFile('The file has a password. Save it without one and upload that.')
    }
    throw new UnreadableFile(`The file is broken, or no PDF: ${message}`)
  }
}

async function readPage(document: PdfDocument, number: number): Promise<string> {
  const page = await document.getPage(number)
  const { items } = await page.getTextContent()
  page.cleanup()
  return items
    .map((item) => ('str' in item ? item.str + (item.hasEOL ? '\n' : '') : ''))
    .join('')
    .trim()
}
