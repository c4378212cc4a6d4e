import type { App } from '#http/app.ts'
import { DomainError, errorMessage, invalidArgument, unprocessable } from '#platform/errors.ts'

/** Levels of arrays and objects in a body; real requests have fewer than twenty. */
const MAX_JSON_DEPTH = 200

/** Escapes that can stand for NUL or half a surrogate pair: where a text has none of them, its strings need no look. */
const SUSPICIOUS_ESCAPE = /\\u(0000|d[89a-f])/i
const decoder = new TextDecoder('utf-8', { fatal: true })

/**
 * The only body parser: JSON in UTF-8. PostgreSQL can store neither NUL nor half a surrogate pair in text, and a number
 * beyond the doubles would silently become null: all are refused here, once, with their place. An empty body is an empty object: SDKs send that where a body is optional.
 */
export function parseJsonBodies(app: App): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<Buffer>(
    /^application\/([\w.-]+\+)?json(;|$)/i,
    { parseAs: 'buffer' },
    async (_request: unknown, body: Buffer) => parseJson(body),
  )
  app.addHook('preValidation', async (request) => {
    if (request.body === undefined && request.routeOptions.schema?.body !== undefined) request.body = {}
  })
  app.addHook('onRequest', async (request) => {
    if (request.url.includes('%00'))
      throw unprocessable('The URL has a NUL character (%00), which no value may contain.')
  })
}

/** Throws DomainError invalid_argument (not JSON) or unprocessable (JSON that cannot be stored). */
export function parseJson(body: Uint8Array): unknown {
  let text: string
  try {
    text = decoder.decode(body)
  } catch {
    throw invalidArgument('The request body is not valid UTF-8.')
  }
  if (text.trim() === '') return {}
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw invalidArgument(`The request body is not valid JSON: ${errorMessage(error)}`)
  }
  checkValue(value, [], SUSPICIOUS_ESCAPE.test(text))
  return value
}

function checkValue(value: unknown, path: (string | number)[], checksText: boolean): void {
  if (typeof value === 'string') {
    if (checksText) checkText(value, path)
    return
  }
  if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) {
    throw refusal(path, 'The number is too large', 'finite_number')
  }
  if (typeof value !== 'object' || value === null) return
  if (path.length >= MAX_JSON_DEPTH) throw refusal([], `JSON nested deeper than ${MAX_JSON_DEPTH} levels`, 'json_depth')
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      path.push(index)
      checkValue(value[index], path, checksText)
      path.pop()
    }
    return
  }
  for (const key of Object.keys(value)) {
    if (key === '__proto__') throw refusal(path, 'The key __proto__ is not allowed', 'json_key')
    if (checksText) checkText(key, path)
    path.push(key)
    checkValue((value as Record<string, unknown>)[key], path, checksText)
    path.pop()
  }
}

function checkText(text: string, path: (string | number)[]): void {
  if (text.includes('\0')) throw refusal(path, 'Text must not contain NUL characters (\\u0000)', 'string_nul')
  if (!text.isWellFormed()) throw refusal(path, 'Text contains half of a surrogate pair', 'string_unicode')
}

/** In the shape of a validation error, which it is. */
function refusal(path: (string | number)[], msg: string, type: string): DomainError {
  const loc = [
    'body',
    ...path.map((part) => (typeof part === 'string' ? part.toWellFormed().replaceAll('\0', '␀') : part)),
  ]
  return new DomainError('unprocessable', msg, {
    detail: `${loc.join('.')}: ${msg}`,
    extra: { trace_id: '', errors: [{ loc, msg, type }] },
  })
}
