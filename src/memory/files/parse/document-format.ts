import { splitExtension } from '#memory/files/file-name.ts'
import { DomainError } from '#platform/errors.ts'

/** How a file is to be read. */
export type DocumentFormat = 'text' | 'html' | 'pdf' | 'docx' | 'pptx' | 'xlsx'

/** Endings of files that are text as they are. */
const TEXT_EXTENSIONS = new Set(
  [
    'txt md markdown json jsonl csv tsv log rst',
    'py js mjs cjs ts java c h cpp hpp cc cs php rb go rs swift kt scala r m',
    'css scss sass less vue jsx tsx xml yaml yml toml ini cfg conf',
    'sh bash ps1 bat cmd dockerfile sql',
  ]
    .join(' ')
    .split(' '),
)

const DOCUMENT_EXTENSIONS: Record<string, DocumentFormat> = {
  html: 'html',
  htm: 'html',
  pdf: 'pdf',
  docx: 'docx',
  pptx: 'pptx',
  xlsx: 'xlsx',
}

const OFFICE = 'application/vnd.openxmlformats-officedocument.'
const DOCUMENT_MEDIA_TYPES: Record<string, DocumentFormat> = {
  'text/html': 'html',
  'application/pdf': 'pdf',
  [`${OFFICE}wordprocessingml.document`]: 'docx',
  [`${OFFICE}presentationml.presentation`]: 'pptx',
  [`${OFFICE}spreadsheetml.sheet`]: 'xlsx',
}

/** Formats that cannot be read, whatever the client says of them. */
const KNOWN_BINARIES = new Set(
  'doc docm dot dotm ppt pptm pps ppsx ppsm xls xlsm xlsb xltm odt ods odp epub rtf png jpg jpeg gif webp bmp tiff ico zip gz tar 7z rar mp3 mp4 wav mov avi exe dll so'.split(
    ' ',
  ),
)

const TEXT_MEDIA_TYPES = /^(text\/|application\/(json|x-ndjson|jsonl|xml|yaml|x-yaml|toml|javascript|sql|x-sh)\b)/

/** How to read a file, by its ending, or by its media type where the ending says nothing. Throws unsupported. */
export function documentFormatOf(name: string, mediaType: string | null): DocumentFormat {
  const extension = splitExtension(name).extension.slice(1).toLowerCase() || name.toLowerCase()
  if (TEXT_EXTENSIONS.has(extension)) return 'text'
  const byExtension = Object.hasOwn(DOCUMENT_EXTENSIONS, extension) ? DOCUMENT_EXTENSIONS[extension] : undefined
  if (byExtension !== undefined) return byExtension
  if (!KNOWN_BINARIES.has(extension) && mediaType !== null) {
    const type = mediaType.split(';')[0]?.trim().toLowerCase() ?? ''
    const byType = Object.hasOwn(DOCUMENT_MEDIA_TYPES, type) ? DOCUMENT_MEDIA_TYPES[type] : undefined
    if (byType !== undefined) return byType
    if (TEXT_MEDIA_TYPES.test(type)) return 'text'
  }
  const known = [...Object.keys(DOCUMENT_EXTENSIONS), ...TEXT_EXTENSIONS].join(', ')
  throw new DomainError(
    'unsupported',
    `Unsupported file type: ${name} (${mediaType ?? 'no media type'}). What can be read: ${known}. Convert the file to one of these first.`,
    { canRetry: false },
  )
}
