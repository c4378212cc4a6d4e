import type { Failure } from './classify-end.ts'
import type { FetchRequest } from './fetch-broker.ts'

/** What a runner told about its call. Text of the code's own, where a frame's token does not stand before it. */
export type Frame =
  | { kind: 'output'; stream: 'stdout' | 'stderr'; text: string }
  | { kind: 'cut'; stream: 'stdout' | 'stderr' }
  | { kind: 'value'; text: string; textLength: number; blocks: Record<string, string> }
  | { kind: 'thrown'; failure: Failure }
  | { kind: 'fetch'; request: FetchRequest }
  /** It has our token and is no frame: the code has found the token out, which serves nothing but to cheat its own caller. */
  | { kind: 'broken' }

const STREAMS: Record<string, 'stdout' | 'stderr'> = { o: 'stdout', e: 'stderr' }
const MAX_TYPE_CHARS = 200
/** Of V8's errors for buffers that it gets no memory for. */
const MEMORY_WORDS = /allocation failed|could not allocate memory|Unable to grow/i

/** Reads a line of standard output; every one may have been written by the code itself. */
export function parseFrame(line: string, token: string): Frame {
  if (!line.startsWith(token)) return { kind: 'output', stream: 'stdout', text: line === '' ? '' : `${line}\n` }
  const kind = line[token.length] ?? ''
  const value = parseJson(line.slice(token.length + 1))
  const stream = STREAMS[kind]
  if (stream !== undefined && typeof value === 'string') return { kind: 'output', stream, text: value }
  if (kind === 'd' && typeof value === 'string') return { kind: 'cut', stream: STREAMS[value] ?? 'stdout' }
  if (kind === 'r' && isRecord(value)) return toReply(value)
  if (kind === 'f' && isRecord(value)) return toFetch(value)
  return { kind: 'broken' }
}

function toReply({ text, textLength, blocks, kind, type, message }: Record<string, unknown>): Frame {
  if (typeof text === 'string') {
    const length = typeof textLength === 'number' && Number.isSafeInteger(textLength) ? textLength : 0
    return { kind: 'value', text, textLength: Math.max(length, text.length), blocks: textsOf(blocks) }
  }
  if (typeof type !== 'string' || typeof message !== 'string') return { kind: 'broken' }
  const isMemory = kind === 'memory' || (type === 'RangeError' && MEMORY_WORDS.test(message))
  const failureKind = isMemory ? 'memory' : kind === 'died' ? 'died' : 'exception'
  return { kind: 'thrown', failure: { kind: failureKind, type: type.slice(0, MAX_TYPE_CHARS), message } }
}

function toFetch({ id, url, method, headers, body, redirect }: Record<string, unknown>): Frame {
  if (!Number.isSafeInteger(id) || typeof url !== 'string' || typeof method !== 'string') return { kind: 'broken' }
  if (!Array.isArray(headers) || !headers.every(isPair)) return { kind: 'broken' }
  if (body !== null && typeof body !== 'string') return { kind: 'broken' }
  const follows = redirect === 'error' || redirect === 'manual' ? redirect : 'follow'
  return { kind: 'fetch', request: { id: Number(id), url, method, headers, body, redirect: follows } }
}

const textsOf = (value: unknown): Record<string, string> =>
  isRecord(value)
    ? Object.fromEntries(Object.entries(value).filter((pair): pair is [string, string] => typeof pair[1] === 'string'))
    : {}

const isPair = (value: unknown): value is [string, string] =>
  Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === 'string')

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
