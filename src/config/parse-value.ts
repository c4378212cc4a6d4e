import { ConfigError } from './config-error.ts'
import type { Option } from './options.ts'

export interface OpenAiCompatibleEndpoint {
  /** First part of the handles of its models. */
  name: string
  baseUrl: string
  /** Name of the environment variable with the key, when it needs one. */
  keyVariable: string | undefined
}

export type Value = string | number | readonly string[] | readonly OpenAiCompatibleEndpoint[]

/** The value that `text` means for an option. Throws ConfigError, which names `source` and never repeats a secret. */
export function parseValue(option: Option, text: string, source: string): Value {
  const fail = (wish: string): never => {
    const got = option.secret ? 'its value does not (not shown, it is a secret)' : `got "${text}"`
    throw new ConfigError(`${source} ${wish}; ${got}.`)
  }
  switch (option.type) {
    case 'string':
    case 'path':
      return text
    case 'integer': {
      const { word } = option
      if (word !== undefined && text.toLowerCase() === word.text) return word.value
      const kind = word === undefined ? 'a whole number' : `${word.text} or a whole number`
      return inRange(option, kind, /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN, String, fail)
    }
    case 'duration':
      return inRange(option, 'a duration', parseDuration(text), formatDuration, fail)
    case 'size':
      return inRange(option, 'a size', parseSize(text), formatSize, fail)
    case 'choice': {
      const wanted = option.synonyms?.[text.toLowerCase()] ?? text.toLowerCase()
      return option.choices.includes(wanted) ? wanted : fail(`must be one of ${option.choices.join(', ')}`)
    }
    case 'url':
      return parseUrl(option.schemes, text) ?? fail(`must be a URL that starts with ${option.schemes[0]}://`)
    case 'origins':
      return splitList(text).map(
        (item) => parseOrigin(item) ?? fail(`must be a list of origins such as https://app.example.org`),
      )
    case 'endpoints':
      return splitEntries(text).map(
        (item) => parseEndpoint(item) ?? fail('must be name=url or name=url,VARIABLE entries separated by spaces'),
      )
  }
}

function inRange(
  option: { min: number; max: number },
  kind: string,
  value: number,
  format: (value: number) => string,
  fail: (wish: string) => never,
): number {
  if (value >= option.min && value <= option.max) return value
  return fail(`must be ${kind} between ${format(option.min)} and ${format(option.max)}`)
}

const DURATION_UNITS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }
const SIZE_UNITS: Record<string, number> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 }

/** Milliseconds, or NaN. A bare number is seconds, as V1 counted. */
function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?) ?(ms|s|m|h)?$/i.exec(text)
  return match === null
    ? Number.NaN
    : Math.round(Number(match[1]) * (DURATION_UNITS[(match[2] ?? 's').toLowerCase()] ?? 1))
}

/** Bytes, or NaN. */
function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?) ?([kmg]?)(?:i?b)?$/i.exec(text)
  return match === null ? Number.NaN : Math.round(Number(match[1]) * (SIZE_UNITS[(match[2] ?? '').toLowerCase()] ?? 1))
}

/** `20s`: the largest unit that divides the milliseconds. */
export function formatDuration(ms: number): string {
  if (ms >= 3_600_000 && ms % 3_600_000 === 0) return `${ms / 3_600_000}h`
  return ms % 1_000 === 0 ? `${ms / 1_000}s` : `${ms}ms`
}

/** `20MiB`: the largest unit that divides the bytes. */
export function formatSize(bytes: number): string {
  if (bytes >= 1024 ** 2 && bytes % 1024 ** 2 === 0) return `${bytes / 1024 ** 2}MiB`
  return bytes >= 1024 && bytes % 1024 === 0 ? `${bytes / 1024}KiB` : `${bytes} bytes`
}

/** The URL as given, without the `+driver` that SQLAlchemy URLs carry and without a slash at the end. */
function parseUrl(schemes: readonly string[], text: string): string | undefined {
  const plain = text.replace(/^(postgres(?:ql)?)\+\w+:/, '$1:')
  const scheme = URL.parse(plain)?.protocol.slice(0, -1)
  return scheme !== undefined && schemes.includes(scheme) ? plain.replace(/\/+$/, '') : undefined
}

function parseOrigin(text: string): string | undefined {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined
  return url.origin === text.replace(/\/$/, '').toLowerCase() ? url.origin : undefined
}

function parseEndpoint(text: string): OpenAiCompatibleEndpoint | undefined {
  const match = /^([a-z][a-z0-9_-]*)=([^,]+)(?:,([A-Za-z_]\w*))?$/.exec(text)
  const [, name, url, keyVariable] = match ?? []
  const baseUrl = url === undefined ? undefined : parseUrl(['http', 'https'], url)
  return name === undefined || baseUrl === undefined ? undefined : { name, baseUrl, keyVariable }
}

const splitEntries = (text: string): string[] => text.split(/\s+/).filter((item) => item !== '')
const splitList = (text: string): string[] => text.split(/[\s,]+/).filter((item) => item !== '')
