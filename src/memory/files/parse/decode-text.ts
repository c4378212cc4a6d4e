/**
 * The text of a file: UTF-8, UTF-16 by its mark, or Windows-1252, in which older programs of Western Europe save. What is no text is replaced, and NUL,
 * which no database stores, too.
 */
export function decodeText(bytes: Uint8Array): string {
  const text = new TextDecoder(encodingOf(bytes)).decode(bytes)
  return text.replaceAll('\0', '\uFFFD')
}

function encodingOf(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be'
  return isUtf8(bytes) || !isWindows1252(bytes) ? 'utf-8' : 'windows-1252'
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}

/** Of what is no UTF-8: letters that are, as in a file with one broken byte, or a NUL, which no text has, speak against it. */
function isWindows1252(bytes: Uint8Array): boolean {
  if (bytes.includes(0)) return false
  const text = new TextDecoder('utf-8').decode(bytes)
  const broken = text.match(/\uFFFD/g)?.length ?? 0
  const letters = text.match(/[^\p{ASCII}\uFFFD]/gu)?.length ?? 0
  return letters < broken
}
