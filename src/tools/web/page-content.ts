export interface ContentType {
  /** In lower case, without parameters; empty where nothing is said. */
  name: string
  charset: string | undefined
}

export function parseContentType(header = ''): ContentType {
  const [name = '', ...parameters] = header.split(';').map((part) => part.trim())
  const charset = parameters.map((part) => /^charset\s*=\s*"?([^"]+)"?$/i.exec(part)?.[1]).find(Boolean)
  return { name: name.toLowerCase(), charset: charset?.trim() }
}

const TEXT =
  /^(text\/.*|application\/(.*\+)?(json|xml|yaml)|application\/(json5?|x-ndjson|jsonl|x-yaml|toml|javascript|x-javascript|ecmascript|x-sh|sql|graphql)|message\/.*)$/

/** What can be done with content of a type. Where nothing or no certain thing is said, the text itself tells, once it is there. */
export function kindOfContent(name: string, text?: string): 'html' | 'text' | 'other' {
  if (name === 'text/html' || name === 'application/xhtml+xml') return 'html'
  if (TEXT.test(name)) return text !== undefined && isBinary(text) ? 'other' : 'text'
  if (name !== '') return 'other'
  if (text === undefined) return 'text'
  if (isBinary(text)) return 'other'
  return /^\s*<(!doctype html|html|head|body|\?xml[^>]*>\s*<(!doctype html|html))/i.test(text) ? 'html' : 'text'
}

/** No text has these characters. */
const isBinary = (text: string): boolean => text.startsWith('%PDF-') || text.slice(0, 4_096).includes('\0')
