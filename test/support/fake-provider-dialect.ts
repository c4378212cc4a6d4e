import { createHash } from 'node:crypto'

/** The three protocols that the fake provider speaks. */
export type DialectKind = 'openai' | 'anthropic' | 'google'
export type Json = Record<string, unknown>

export interface FakeUsage {
  inputTokens: number
  outputTokens: number
  cachedInputTokens?: number
  cacheWriteTokens?: number
  reasoningTokens?: number
}

/** What goes wrong instead of, or in the middle of, a reply. */
export type Fault =
  /** An error status in the provider's own shape; `retryAfter` is the header as it stands. */
  | { kind: 'status'; status: number; retryAfter?: string; message?: string }
  /** The provider's own words for a prompt that is too long. */
  | { kind: 'context-limit' }
  /** The connection is destroyed after so many events of the stream (0: after the headers). */
  | { kind: 'cut'; afterEvents: number }
  /** Nothing more comes after so many events; -1: not even headers. */
  | { kind: 'hang'; afterEvents: number }
  /** An error event in the stream after so many events. */
  | { kind: 'stream-error'; afterEvents: number; message?: string }
  /** Status 200 and something that is not the protocol. */
  | { kind: 'garbage' }

/** One scripted reply. Without text, reasoning and calls it is an empty reply. */
export interface FakeReply {
  text?: string
  reasoning?: string
  /** A string as `arguments` is sent raw, also when it is not JSON; anything else is stringified. */
  toolCalls?: { name: string; arguments: unknown; id?: string }[]
  usage?: FakeUsage
  /** The provider's own word; by default what fits the reply. */
  finishReason?: string
  /** Milliseconds before the first byte. */
  delayMs?: number
  /** Milliseconds before each event of the stream. */
  eventDelayMs?: number
  /** Characters of text in one event, 16 by default. */
  charsPerEvent?: number
  fault?: Fault
}

/** A reply with everything filled in, ready to be written down in a dialect. */
export interface CompleteReply {
  id: string
  model: string
  text: string
  reasoning: string
  toolCalls: { id: string; name: string; arguments: string }[]
  usage: FakeUsage
  finishReason: string | undefined
  charsPerEvent: number
}

/** How one provider talks. */
export interface Dialect {
  /** What is wrong with a request, in words like the provider's; undefined for a valid one. */
  findProblem(body: Json, model: string): string | undefined
  lastUserText(body: Json): string
  /** Whether the request goes on after tool results rather than after something that the user said. */
  isAfterTools(body: Json): boolean
  /** Server-sent events, each with its closing blank line. */
  toEvents(reply: CompleteReply, body: Json): string[]
  toWhole(reply: CompleteReply): Json
  toError(status: number, message: string): Json
  /** What stands in a stream when the provider fails in the middle of it. */
  toErrorEvent(message: string): string
  contextLimitMessage: string
  toModels(models: readonly string[]): Json
}

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
export const objects = (value: unknown): Json[] => (Array.isArray(value) ? value.filter(isObject) : [])

export const hashOf = (value: unknown): string =>
  createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 24)

export function splitText(text: string, size: number): string[] {
  const characters = [...text]
  return Array.from({ length: Math.ceil(characters.length / size) }, (_, index) =>
    characters.slice(index * size, (index + 1) * size).join(''),
  )
}

/** Half a surrogate pair or NUL anywhere in the strings of a request. */
export function hasBadText(value: unknown): boolean {
  if (typeof value === 'string') return !value.isWellFormed() || value.includes('\0')
  if (typeof value !== 'object' || value === null) return false
  return Object.values(value).some(hasBadText)
}

export const isJsonObject = (text: unknown): boolean => {
  try {
    return typeof text === 'string' && isObject(JSON.parse(text))
  } catch {
    return false
  }
}

/** What is wrong with a list of ids that must be exactly `wanted`, in any order. */
export function compareIds(wanted: readonly string[], given: readonly string[]): string | undefined {
  const missing = wanted.filter((id) => !given.includes(id))
  if (missing.length > 0) return `these calls have no result: ${missing.join(', ')}`
  const foreign = given.filter((id) => !wanted.includes(id))
  if (foreign.length > 0) return `these results belong to no call just before them: ${foreign.join(', ')}`
  return new Set(given).size === given.length ? undefined : `a call has more than one result: ${given.join(', ')}`
}

/** Names of tools must be unique and as all providers accept them, their parameters the schema of an object. */
export function findToolProblem(tools: readonly { name: unknown; schema: unknown }[]): string | undefined {
  const names = new Set<unknown>()
  for (const { name, schema } of tools) {
    if (typeof name !== 'string' || !/^[a-zA-Z0-9_-]{1,64}$/.test(name))
      return `tools: invalid name ${JSON.stringify(name)}`
    if (names.has(name)) return `tools: Tool names must be unique: ${name}`
    if (!isObject(schema) || schema.type !== 'object')
      return `tools.${name}: parameters must be the schema of an object`
    names.add(name)
  }
  return undefined
}
