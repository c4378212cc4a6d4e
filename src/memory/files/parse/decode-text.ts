/** The text of a file: UTF-8, or UTF-16 by its mark. What is no text is replaced, and NUL, which no database stores, too. */
export function decodeText(bytes: Uint8Array): string {
  const mark =
    bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : 'utf-8'
  return new TextDecoder(mark).decode(bytes).replaceAll('\0', '\uFFFD')
}
