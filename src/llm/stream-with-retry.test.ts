import { expect, test } from 'vitest'
import { ModelError, type ModelErrorKind, type ModelEvent, type ModelReply } from './model.ts'
import { type AttemptEvent, streamWithRetry } from './stream-with-retry.ts'

const REPLY: ModelReply = {
  content: [{ type: 'text', text: 'ok' }],
  toolCalls: [],
  finishReason: 'stop',
  usage: { inputTokens: 1, outputTokens: 1, cachedInputTokens: null, cacheWriteTokens: null, reasoningTokens: null },
}
const ANSWER: AttemptEvent[] = [
  { type: 'text-delta', text: 'ok' },
  { type: 'reply', reply: REPLY },
]

/** Each attempt gives its events; an error in their place is thrown. */
function run(attempts: (AttemptEvent | ModelError)[][], signal = new AbortController().signal, firstDelayMs = 1) {
  let made = 0
  const stream = streamWithRetry({
    attempt: async function* () {
      for (const event of attempts[made++] ?? []) {
        if (event instanceof ModelError) throw event
        yield event
      }
    },
    toError: (error) => error as ModelError,
    signal,
    handle: 'lab/m',
    firstDelayMs,
  })
  return { stream, made: () => made }
}

const failing = (kind: ModelErrorKind, retryAfterMs?: number) =>
  new ModelError(kind, kind, retryAfterMs === undefined ? {} : { retryAfterMs })

test.each<ModelErrorKind>(['rate_limit', 'overloaded', 'server_error', 'connection', 'timeout'])(
  '%s is tried again',
  async (kind) => {
    const { stream } = run([[failing(kind)], [failing(kind)], [failing(kind)], ANSWER])
    const events = await Array.fromAsync(stream)
    expect(events.map((event) => event.type)).toEqual(['retry', 'retry', 'retry', 'text-delta', 'reply'])
    expect(events.at(-1)).toMatchObject({ timing: { attempts: 4 } })
  },
)

test.each<ModelErrorKind>([
  'authentication',
  'insufficient_credits',
  'context_window_exceeded',
  'bad_request',
  'not_found',
  'invalid_response',
])('%s is not', async (kind) => {
  const { stream, made } = run([[failing(kind)], ANSWER])
  await expect(Array.fromAsync(stream)).rejects.toMatchObject({ kind })
  expect(made()).toBe(1)
})

test('delays grow, and are random by half', async () => {
  const { stream } = run([[failing('timeout')], [failing('timeout')], [failing('timeout')], ANSWER], undefined, 8)
  const delays = (await Array.fromAsync(stream)).filter((event) => event.type === 'retry').map((event) => event.delayMs)
  delays.forEach((delayMs, index) => {
    expect(delayMs).toBeGreaterThanOrEqual(4 * 2 ** index)
    expect(delayMs).toBeLessThanOrEqual(8 * 2 ** index)
  })
})

test('nothing is repeated once a piece of the answer was passed on', async () => {
  const { stream, made } = run([[{ type: 'text-delta', text: 'o' }, failing('connection')], ANSWER])
  const events: ModelEvent[] = []
  await expect(
    (async () => {
      for await (const event of stream) events.push(event)
    })(),
  ).rejects.toMatchObject({ kind: 'connection' })
  expect(events).toHaveLength(1)
  expect(made()).toBe(1)
})

test('an abort ends a wait at once', async () => {
  const controller = new AbortController()
  const { stream, made } = run([[failing('rate_limit', 30_000)], ANSWER], controller.signal)
  const start = performance.now()
  await expect(
    (async () => {
      for await (const event of stream) if (event.type === 'retry') setTimeout(() => controller.abort(), 10)
    })(),
  ).rejects.toMatchObject({ kind: 'aborted', message: 'The call of lab/m was cancelled.' })
  expect(performance.now() - start).toBeLessThan(10_000)
  expect(made()).toBe(1)
})

test('an abort before the start makes no request', async () => {
  const { stream, made } = run([ANSWER], AbortSignal.abort())
  await expect(Array.fromAsync(stream)).rejects.toMatchObject({ kind: 'aborted' })
  expect(made()).toBe(0)
})
