import type { Option } from './options.ts'
import { formatDuration, formatSize } from './parse-value.ts'

/** What stands for the value in `--port <number>` and in the reference page. */
export function placeholderOf(option: Option): string {
  switch (option.type) {
    case 'integer':
      return option.word === undefined ? 'number' : `number|${option.word.text}`
    case 'choice':
      return option.choices.length > 3 ? 'name' : option.choices.join('|')
    case 'string':
      return 'text'
    case 'origins':
      return 'origins'
    case 'endpoints':
      return 'name=url'
    default:
      return option.type
  }
}

/** The default as one would write it, or undefined. */
export function formatDefault(option: Option): string | undefined {
  if (option.type === 'origins' || option.type === 'endpoints' || option.default === undefined) return undefined
  return formatValue(option, option.default)
}

/** A value as one would write it, secrets masked; undefined where there is none. */
export function formatValue(option: Option, value: unknown): string | undefined {
  if (value === undefined) return undefined
  if (option.type === 'url') return maskPassword(String(value))
  if (option.secret) return '********'
  if (option.type === 'duration') return formatDuration(value as number)
  if (option.type === 'size') return formatSize(value as number)
  if (option.type === 'integer' && option.word?.value === value) return option.word.text
  if (Array.isArray(value)) {
    return value
      .map((item) => (typeof item === 'string' ? item : `${item.name}=${maskPassword(item.baseUrl)}`))
      .join(' ')
  }
  return String(value)
}

/** URLs are worth seeing; the password in them is not. Also those in a query, which some hosts of databases give. */
function maskPassword(text: string): string {
  return text
    .replace(/(:\/\/[^/@:]*:)[^/]*@/, '$1********@')
    .replace(/([?&][^=&]*(?:password|key|token|secret)[^=&]*=)[^&]*/gi, '$1********')
}
