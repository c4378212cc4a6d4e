import { charsetOfHtml, decoderOf } from '#platform/html-charset.ts'

/**
 * The text of a page: by its byte order mark, else as its `Content-Type` says, else as the page itself does, else UTF-8 where that fits
 * and windows-1252, as browsers take it, where it does not.
 */
export function decodeText(bytes: Uint8Array, charset: string | undefined): string {
  const decoder = decoderOf(markOf(bytes)) ?? decoderOf(charset) ?? decoderOf(charsetOfHtml(bytes))
  if (decoder !== undefined) return decoder.decode(bytes)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return isCutUtf8(bytes) ? new TextDecoder().decode(bytes) : new TextDecoder('windows-1252').decode(bytes)
  }
}

/** True where only the last character is broken, because the page was cut there. */
function isCutUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true })
    return true
  } catch {
    return false
  }
}

function markOf([first, second, third]: Uint8Array): string | undefined {
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8'
  if (first === 0xfe && second === 0xff) return 'utf-16be'
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  return undefined
}
