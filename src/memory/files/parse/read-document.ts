import { charsetOfHtml } from '#platform/html-charset.ts'
import { decodeText } from './decode-text.ts'
import type { DocumentFormat } from './document-format.ts'
import { wholeHtmlToMarkdown } from './html-to-markdown.ts'
import { UnreadableFile } from './unreadable-file.ts'

/** UTF-16 code units of one file's text. */
const MAX_TEXT_CHARS = 50 * 1024 * 1024

/**
 * The text of a file, of documents as Markdown. Takes time and memory as the file likes: for a process that can be killed. What is not used is not
 * loaded. Throws UnreadableFile.
 */
export async function readDocument(bytes: Uint8Array, format: DocumentFormat): Promise<string> {
  const text = clean(await read(bytes, format))
  if (text.length <= MAX_TEXT_CHARS) return text
  throw new UnreadableFile(`The file has ${text.length} characters, more than ${MAX_TEXT_CHARS}. Split it.`)
}

/** What no database stores. */
const clean = (text: string): string => text.replaceAll('\0', '\uFFFD').toWellFormed()

async function read(bytes: Uint8Array, format: DocumentFormat): Promise<string> {
  try {
    switch (format) {
      case 'text':
        return decodeText(bytes)
      case 'html':
        return wholeHtmlToMarkdown(decodeText(bytes, charsetOfHtml(bytes)))
      case 'pdf':
        return await (await import('./read-pdf.ts')).readPdf(bytes)
      case 'docx':
        return await (await import('./read-docx.ts')).readDocx(bytes)
      case 'pptx':
        return (await import('./read-pptx.ts')).readPptx(bytes)
      case 'xlsx':
        return await (await import('./read-xlsx.ts')).readXlsx(bytes)
    }
  } catch (error) {
    if (error instanceof UnreadableFile) throw error
    // the libraries throw whatever they stumble over
    throw new UnreadableFile(`The file is broken and could not be read: ${(error as Error).message}`, { cause: error })
  }
}
