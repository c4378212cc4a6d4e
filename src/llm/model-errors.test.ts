import { APICallError } from '@ai-sdk/provider'
import { describe, expect, test } from 'vitest'
import type { ModelErrorKind } from './model.ts'
import { parseRetryAfter, toModelError } from './model-errors.ts'

const SOURCE = { providerName: 'Lab', baseUrl: 'https://lab.example/v1', apiKey: 'key-of-lab' }

function answered(status: number, body: unknown): APICallError {
  const responseBody = typeof body === 'string' ? body : JSON.stringify(body)
  return new APICallError({
    message: 'failed',
    url: 'https://lab.example/v1?key=key-of-lab',
    requestBodyValues: {},
    statusCode: status,
    responseBody,
  })
}

test.each<[ModelErrorKind, number, unknown]>([
  // too long: OpenAI, Anthropic, Gemini, vLLM, llama.cpp, Ollama, Groq, xAI
  ['context_window_exceeded', 400, { error: { code: 'context_length_exceeded', message: 'Too long.' } }],
  ['context_window_exceeded', 400, { error: { message: 'prompt is too long: 208310 tokens > 200000 maximum' } }],
  [
    'context_window_exceeded',
    400,
    { error: { message: 'input length and `max_tokens` exceed context limit: 190000 + 64000' } },
  ],
  ['context_window_exceeded', 413, { error: { message: 'Request exceeds the maximum size' } }],
  [
    'context_window_exceeded',
    400,
    { error: { message: 'The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).' } },
  ],
  [
    'context_window_exceeded',
    400,
    { message: "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens" },
  ],
  [
    'context_window_exceeded',
    400,
    { error: { message: 'the request exceeds the available context size. try increasing the context size' } },
  ],
  ['context_window_exceeded', 500, { error: { message: 'the input length exceeds the context length' } }],
  ['context_window_exceeded', 400, { error: { message: 'Please reduce the length of the messages or completion.' } }],
  [
    'context_window_exceeded',
    400,
    { error: "This model's maximum prompt length is 131072 but the request contains 140000 tokens." },
  ],
  ['insufficient_credits', 402, {}],
  ['insufficient_credits', 429, { error: { type: 'insufficient_quota', message: 'You exceeded your current quota' } }],
  ['rate_limit', 429, { error: { status: 'RESOURCE_EXHAUSTED', message: 'Quota exceeded for tokens per minute.' } }],
  ['rate_limit', 429, { error: { message: 'You exceeded your current quota', status: 'RESOURCE_EXHAUSTED' } }],
  ['insufficient_credits', 400, { error: { message: 'Your credit balance is too low to access the Anthropic API.' } }],
  ['rate_limit', 429, { error: { message: 'Rate limit reached for tokens per min' } }],
  [
    'rate_limit',
    429,
    { error: { message: 'This request would exceed your rate limit of 30,000 input tokens per minute' } },
  ],
  ['authentication', 401, {}],
  ['authentication', 403, {}],
  ['authentication', 400, { error: { message: 'API key not valid. Please pass a valid API key.' } }],
  ['not_found', 404, { error: { message: 'The model does not exist' } }],
  ['overloaded', 529, { error: { type: 'overloaded_error', message: 'Overloaded' } }],
  ['overloaded', 503, '<html>Service Unavailable</html>'],
  ['server_error', 500, 'oops'],
  ['timeout', 504, ''],
  ['bad_request', 400, { error: { message: 'max_tokens is too large' } }],
  ['bad_request', 422, { detail: 'unknown field' }],
])('%s from %d %j', (kind, status, body) => {
  expect(toModelError(answered(status, body), SOURCE)).toMatchObject({ name: 'ModelError', kind, status })
})

test("Gemini's wait stands in the body", () => {
  const details = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '17s' }]
  const body = { error: { code: 429, message: 'Quota exceeded', status: 'RESOURCE_EXHAUSTED', details } }
  expect(toModelError(answered(429, body), SOURCE)).toMatchObject({ kind: 'rate_limit', retryAfterMs: 17_000 })
})

describe('messages', () => {
  test("are the provider's own words, without keys", () => {
    const body = {
      error: { message: 'No luck with key-of-lab at https://user:pw@lab.example/?key=abc and sk-abcdefghijkl' },
    }
    expect(toModelError(answered(500, body), SOURCE).message).toBe(
      'Lab (lab.example) answered 500: No luck with [redacted] at https://lab.example/?key=[redacted] and [redacted]',
    )
  })

  test('have no page of HTML and no end', () => {
    expect(toModelError(answered(502, '<html>Bad gateway</html>'), SOURCE).message).toBe(
      'Lab (lab.example) answered 502: failed',
    )
    expect(toModelError(answered(500, 'x'.repeat(9_000)), SOURCE).message.length).toBeLessThan(1_100)
  })

  test('of the network say what to look at', () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    expect(toModelError(new TypeError('fetch failed', { cause: refused }), SOURCE)).toMatchObject({
      kind: 'connection',
      message: 'Lab (lab.example) refused the connection; is it running?',
    })
  })
})

test.each<[ModelErrorKind, unknown]>([
  ['overloaded', { type: 'overloaded_error', message: 'Overloaded' }],
  ['rate_limit', { type: 'rate_limit_error', message: 'Slow down' }],
  ['server_error', { message: 'The server had an error', type: 'server_error', code: null }],
  ['context_window_exceeded', { code: 'context_length_exceeded', message: 'Too long' }],
  ['server_error', 'something broke'],
  ['overloaded', { error: { code: 503, message: 'busy', status: 'UNAVAILABLE' } }],
])('%s in the middle of a stream', (kind, error) => {
  expect(toModelError(error, SOURCE).kind).toBe(kind)
})

test.each<[Record<string, string>, number | undefined]>([
  [{ 'retry-after-ms': '1500', 'retry-after': '9' }, 1500],
  [{ 'retry-after': '9' }, 9_000],
  [{ 'retry-after': 'Thu, 01 Jan 1970 00:01:00 GMT' }, 50_000],
  [{ 'retry-after': 'Thu, 01 Jan 1970 00:00:00 GMT' }, 0],
  [{ 'retry-after': 'soon' }, undefined],
  [{}, undefined],
])('retry-after %j', (headers, expected) => {
  expect(parseRetryAfter(headers, 10_000)).toBe(expected)
})
