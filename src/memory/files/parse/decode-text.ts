import { analyse } from 'chardet'

/** What texts are in that name no encoding and are of none that is recognised: older programs of Western Europe save so. */
const FALLBACK = 'windows-1252'
/** Fewer of them beside Latin letters tell nothing: "Größe" is a letter of Chinese in Big5. */
const MIN_TELLTALE_BYTES = 4
/** Of East Asia, with two bytes and more for a letter. */
const MULTIBYTE = /^(Shift_JIS|EUC|Big5|GB|ISO-2022)/
const WESTERN: ReadonlySet<string> = new Set(['ISO-8859-1', 'windows-1252'])
/** Of the confidence in another encoding: languages that the judge does not know, such as Icelandic, are close between it and those of their neighbours. */
const ENOUGH_FOR_WESTERN = 0.75
/** Bytes that the encoding is judged by: of words that are not all ASCII, else code and numbers around them would count as English. */
const JUDGED_BYTES = 64 * 1024
/** Of one word, where nothing parts words. */
const MAX_WORD_BYTES = 1_000

/**
 * The text of a file: UTF-8, UTF-16 by its mark, or what older programs save in (ISO 8859, Windows, KOI8-R, Shift JIS, EUC, Big5, GB 18030), recognised by which
 * letters stand beside which. What is no text is replaced, and NUL, which no database stores, too.
 * @param named the encoding that the file itself names, which counts where it is not UTF-8
 */
export function decodeText(bytes: Uint8Array, named?: string): string {
  return new TextDecoder(encodingOf(bytes, named)).decode(bytes).replaceAll('\0', '\uFFFD')
}

function encodingOf(bytes: Uint8Array, named: string | undefined): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be'
  if (isUtf8(bytes)) return 'utf-8'
  return named ?? (isOlderText(bytes) ? olderEncodingOf(bytes) : 'utf-8')
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
function isOlderText(bytes: Uint8Array): boolean {
  if (bytes.includes(0)) return false
  const text = new TextDecoder('utf-8').decode(bytes)
  const broken = text.match(/\uFFFD/g)?.length ?? 0
  const letters = text.match(/[^\p{ASCII}\uFFFD]/gu)?.length ?? 0
  return letters < broken
}

function olderEncodingOf(bytes: Uint8Array): string {
  const words = telltaleWords(bytes)
  const telltale = words.filter((byte) => byte >= 0x80).length
  const isLatin = words.filter(isLetterOrDigit).length >= telltale
  if (isLatin && telltale < MIN_TELLTALE_BYTES) return FALLBACK
  const [best, ...others] = analyse(words).filter(
    ({ name }) => isReadableAs(name, words) && !(isLatin && MULTIBYTE.test(name)),
  )
  if (best === undefined) return FALLBACK
  const western = others.find(({ name }) => WESTERN.has(name))
  return western !== undefined && western.confidence >= best.confidence * ENOUGH_FOR_WESTERN ? western.name : best.name
}

/** The words that tell one encoding from another, up to a size. */
function telltaleWords(bytes: Uint8Array): Buffer {
  const words: Uint8Array[] = []
  let size = 0
  // never into the word before: pieces of a long one would begin in the middle of a letter
  let previousEnd = 0
  for (let at = 0; at < bytes.length && size < JUDGED_BYTES; at += 1) {
    if ((bytes[at] ?? 0) < 0x80) continue
    let start = at
    let end = at + 1
    while (start > previousEnd && at - start < MAX_WORD_BYTES && !isBlank(bytes[start - 1])) start -= 1
    while (end < bytes.length && end - at < MAX_WORD_BYTES && !isBlank(bytes[end])) end += 1
    // with the blank behind it
    const word = bytes.subarray(start, end + 1)
    words.push(word)
    size += word.length
    previousEnd = end + 1
    at = end
  }
  return Buffer.concat(words)
}

const isBlank = (byte = 0): boolean => byte <= 0x20
const isLetterOrDigit = (byte: number): boolean =>
  (byte >= 0x30 && byte <= 0x39) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a)

/** Control characters beyond ASCII are in no text, and an encoding that no reader knows any more, such as ISO-2022-CN, throws. */
function isReadableAs(encoding: string, words: Uint8Array): boolean {
  try {
    return !/[\x80-\x9f]/.test(new TextDecoder(encoding, { fatal: true }).decode(words, { stream: true }))
  } catch {
    return false
  }
}
