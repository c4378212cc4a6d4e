import { jsonrepair } from 'jsonrepair'

export type ParsedArguments = { ok: true; value: Record<string, unknown> } | { ok: false; problem: string }

/** Deeper than any tool's schema, and far from the depth at which recursion over it (JSON.stringify, ajv) overflows. */
const MAX_DEPTH = 100

class TooDeepError extends Error {}

/**
 * The deepest nesting of brackets in JSON text. JSON.parse itself has no limit, and the recursive repair overflows the stack, so
 * the depth is measured before either sees the text.
 */
function measureDepth(text: string): number {
  let depth = 0
  let deepest = 0
  let isInString = false
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charCodeAt(at)
    if (char === 0x5c) at += isInString ? 1 : 0
    else if (char === 0x22) isInString = !isInString
    else if (isInString) continue
    else if (char === 0x7b || char === 0x5b) {
      depth += 1
      if (depth > deepest) deepest = depth
    } else if (char === 0x7d || char === 0x5d) depth -= 1
  }
  return deepest
}

/** PostgreSQL stores neither NUL nor half a surrogate pair in text. */
const cleanText = (text: string): string => text.replaceAll('\0', '').toWellFormed()

function clean(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return cleanText(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth > MAX_DEPTH) throw new TooDeepError()
  if (Array.isArray(value)) return value.map((item) => clean(item, depth + 1))
  // defineProperty keeps a key "__proto__" out of the prototype chain; it is dropped, no tool has such a parameter
  const entries = Object.entries(value).filter(([key]) => key !== '__proto__')
  return Object.fromEntries(entries.map(([key, item]) => [cleanText(key), clean(item, depth + 1)]))
}

const describe = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return JSON.parse(jsonrepair(text))
  }
}

const refuse = (problem: string): ParsedArguments => ({ ok: false, problem: cleanText(problem) })

/**
 * The arguments of a tool call from the text that a model wrote: JSON, or what is obviously meant as JSON (missing quotes or
 * brackets, code fences, trailing commas…). Empty text is an object without members. Strings lose NUL and lone surrogates.
 * Never throws; `problem` is a sentence for the model.
 */
export function parseToolArguments(text: string): ParsedArguments {
  if (text.trim() === '') return { ok: true, value: {} }
  const tooDeep = `The arguments are nested more than ${MAX_DEPTH} levels deep. Send a flatter object.`
  if (measureDepth(text) > MAX_DEPTH) return refuse(tooDeep)
  let parsed: unknown
  try {
    parsed = clean(parseJson(text), 1)
  } catch (error) {
    if (error instanceof TooDeepError) return refuse(tooDeep)
    const reason = error instanceof Error ? error.message : 'unknown reason'
    return refuse(`The arguments are not valid JSON (${reason}). Send one JSON object.`)
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    return refuse(`The arguments must be one JSON object, not ${describe(parsed)}.`)
  }
  return { ok: true, value: parsed as Record<string, unknown> }
}
