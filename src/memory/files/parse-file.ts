import { DomainError, unprocessable } from '#platform/errors.ts'

/** Endings of files that are text as they are. */
const TEXT_EXTENSIONS = new Set(
  [
    'txt md markdown json jsonl csv tsv log rst',
    'py js mjs cjs ts java c h cpp hpp cc cs php rb go rs swift kt scala r m',
    'html htm css scss sass less vue jsx tsx xml yaml yml toml ini cfg conf',
    'sh bash ps1 bat cmd dockerfile sql',
  ]
    .join(' ')
    .split(' '),
)

/** Formats that are no text, whatever the client says of them. */
const KNOWN_BINARIES = new Set(
  'pdf doc docx ppt pptx xls xlsx odt ods odp epub rtf png jpg jpeg gif webp bmp tiff ico zip gz tar 7z rar mp3 mp4 wav mov avi exe dll so'.split(
    ' ',
  ),
)

const TEXT_MEDIA_TYPES = /^(text\/|application\/(json|x-ndjson|jsonl|xml|yaml|x-yaml|toml|javascript|sql|x-sh)\b)/

const MAX_NAME_LENGTH = 255

/** The last part of a path, for clients that send one: a file has a name, never a place on a disk. Throws unprocessable. */
export function toFileName(given: string): string {
  const name = (given.split(/[\\/]/).at(-1) ?? '')
    .replace(/\p{Cc}/gu, '')
    .toWellFormed()
    .trim()
  if (name === '' || name === '.' || name === '..') throw unprocessable('The file needs a name.')
  if (name.length > MAX_NAME_LENGTH) {
    throw unprocessable(`The name of the file has ${name.length} characters; use ${MAX_NAME_LENGTH} or fewer.`)
  }
  return name
}

/** Name and ending, the ending with its dot; `.env` and `Dockerfile` have none. */
export function splitExtension(name: string): { stem: string; extension: string } {
  const dot = name.lastIndexOf('.')
  return dot <= 0 ? { stem: name, extension: '' } : { stem: name.slice(0, dot), extension: name.slice(dot) }
}

/** Throws unsupported for a format that cannot be read as text. */
export function checkFormat(name: string, mediaType: string | null): void {
  const extension = splitExtension(name).extension.slice(1).toLowerCase() || name.toLowerCase()
  if (TEXT_EXTENSIONS.has(extension)) return
  if (!KNOWN_BINARIES.has(extension) && mediaType !== null && TEXT_MEDIA_TYPES.test(mediaType)) return
  throw new DomainError(
    'unsupported',
    `Unsupported file type: ${name} (${mediaType ?? 'no media type'}). Only text can be read: ${[...TEXT_EXTENSIONS].join(', ')}. Convert the file to text or Markdown first.`,
    { canRetry: false },
  )
}

/** The text of a file: UTF-8, or UTF-16 by its mark. What is no text is replaced, and NUL, which no database stores, too. */
export function decodeText(bytes: Uint8Array): string {
  const mark =
    bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : 'utf-8'
  return new TextDecoder(mark).decode(bytes).replaceAll('\0', '\uFFFD')
}
