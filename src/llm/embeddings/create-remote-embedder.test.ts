import { describe, expect, test } from 'vitest'
import { createModelFetch } from '#llm/fetch.ts'
import {
  type ScriptedAnswer,
  type SeenRequest,
  startScriptedProvider,
} from '../../../test/support/scripted-provider.ts'
import { createRemoteEmbedder, findDimensions, type RemoteEmbedderOptions } from './create-remote-embedder.ts'

const KEY = 'secret-key-of-the-test'

const optionsAt = (url: string, over: Partial<RemoteEmbedderOptions> = {}): RemoteEmbedderOptions => ({
  handle: 'lab/vectors',
  kind: 'openai-compatible',
  providerName: 'Lab',
  baseUrl: `${url}/v1`,
  apiKey: KEY,
  model: 'vectors',
  dimensions: 2,
  fetch: createModelFetch({ firstByteTimeoutMs: 2_000, idleTimeoutMs: 2_000 }),
  firstDelayMs: 1,
  ...over,
})

/** A vector that tells texts apart: the direction is that of (length, 1). */
const vectorOf = (text: string): number[] => [text.length, 1]
const unit = (text: string): number[] => vectorOf(text).map((value) => value / Math.hypot(text.length, 1))

const openaiAnswer = ({ body }: SeenRequest): ScriptedAnswer => ({
  json: {
    data: body.input
      .map((text: string, index: number) => ({ object: 'embedding', index, embedding: vectorOf(text) }))
      .reverse(),
  },
})

describe('each API', () => {
  test('of OpenAI is asked for base64, and answers in any order', async () => {
    await using server = await startScriptedProvider(({ body }) => ({
      json: {
        data: body.input
          .map((text: string, index: number) => ({
            index,
            embedding: Buffer.from(Float32Array.from(vectorOf(text)).buffer).toString('base64'),
          }))
          .reverse(),
      },
    }))
    const embedder = createRemoteEmbedder(optionsAt(server.url, { kind: 'openai' }))
    const vectors = await embedder.embed(['a', 'bbb'])
    expect(vectors.map((vector) => [...vector])).toEqual([unit('a'), unit('bbb')].map((row) => row.map(Math.fround)))
    expect(server.requests).toMatchObject([
      {
        method: 'POST',
        path: '/v1/embeddings',
        headers: { authorization: `Bearer ${KEY}` },
        body: { model: 'vectors', input: ['a', 'bbb'], encoding_format: 'base64' },
      },
    ])
  })

  test('of a server like OpenAI, without a key', async () => {
    await using server = await startScriptedProvider(openaiAnswer)
    const embedder = createRemoteEmbedder(optionsAt(server.url, { apiKey: undefined }))
    expect(await embedder.embed(['a', 'bbb'])).toMatchObject([{ length: 2 }, { length: 2 }])
    expect(server.requests[0]?.body).toEqual({ model: 'vectors', input: ['a', 'bbb'] })
    expect(server.requests[0]?.headers.authorization).toBeUndefined()
  })

  test('of Google', async () => {
    await using server = await startScriptedProvider(({ body }) => ({
      json: {
        embeddings: body.requests.map((request: { content: { parts: { text: string }[] } }) => ({
          values: vectorOf(request.content.parts[0]?.text ?? ''),
        })),
      },
    }))
    const options = optionsAt(server.url, {
      kind: 'google',
      baseUrl: `${server.url}/v1beta`,
      model: 'gemini-embedding-001',
    })
    const [vector] = await createRemoteEmbedder(options).embed(['bbb'])
    expect([...(vector ?? [])]).toEqual(unit('bbb').map(Math.fround))
    expect(server.requests).toMatchObject([
      {
        path: '/v1beta/models/gemini-embedding-001:batchEmbedContents',
        headers: { 'x-goog-api-key': KEY },
        body: { requests: [{ model: 'models/gemini-embedding-001', content: { parts: [{ text: 'bbb' }] } }] },
      },
    ])
  })

  test('of Ollama, beside its /v1', async () => {
    await using server = await startScriptedProvider(({ body }) => ({ json: { embeddings: body.input.map(vectorOf) } }))
    const [vector] = await createRemoteEmbedder(optionsAt(server.url, { kind: 'ollama' })).embed(['bbb'])
    expect([...(vector ?? [])]).toEqual(unit('bbb').map(Math.fround))
    expect(server.requests).toMatchObject([
      { path: '/api/embed', body: { model: 'vectors', input: ['bbb'], truncate: true } },
    ])
  })
})

describe('texts', () => {
  test('are sent in requests of 32, and come back in their order', async () => {
    await using server = await startScriptedProvider(openaiAnswer)
    const texts = Array.from({ length: 70 }, (_, index) => 'x'.repeat(index + 1))
    const vectors = await createRemoteEmbedder(optionsAt(server.url)).embed(texts)
    expect(server.requests.map(({ body }) => body.input.length)).toEqual([32, 32, 6])
    vectors.forEach((vector, index) => {
      expect([...vector]).toEqual(unit(texts[index] ?? '').map(Math.fround))
    })
  })

  test('of many characters are sent in more requests', async () => {
    await using server = await startScriptedProvider(openaiAnswer)
    await createRemoteEmbedder(optionsAt(server.url)).embed(Array.from({ length: 30 }, () => 'x'.repeat(100_000)))
    expect(server.requests.map(({ body }) => body.input.length)).toEqual([25, 5])
    expect(server.requests[0]?.body.input[0]).toHaveLength(8_000)
  })

  test('that providers refuse are made readable', async () => {
    await using server = await startScriptedProvider(openaiAnswer)
    await createRemoteEmbedder(optionsAt(server.url)).embed(['', ' \n', 'a\ud800'])
    expect(server.requests[0]?.body.input).toEqual(['(empty)', '(empty)', 'a\ufffd'])
  })

  test('that are too long for the model are shortened until it takes them', async () => {
    await using server = await startScriptedProvider((request) =>
      request.body.input.some((text: string) => text.length > 1_000)
        ? { status: 400, json: { error: { message: "This model's maximum context length is 512 tokens." } } }
        : openaiAnswer(request),
    )
    await createRemoteEmbedder(optionsAt(server.url)).embed(['x'.repeat(3_000), 'short'])
    expect(server.requests.map(({ body }) => body.input.map((text: string) => text.length))).toEqual([
      [3_000, 5],
      [1_500, 5],
      [750, 5],
    ])
  })

  test('none ask nothing', async () => {
    await using server = await startScriptedProvider(openaiAnswer)
    expect(await createRemoteEmbedder(optionsAt(server.url)).embed([])).toEqual([])
    expect(server.requests).toHaveLength(0)
  })
})

describe('a request', () => {
  test.each([429, 500, 503])('that is answered %i is repeated', async (status) => {
    await using server = await startScriptedProvider((request, index) =>
      index < 2 ? { status, json: { error: { message: 'later' } } } : openaiAnswer(request),
    )
    expect(await createRemoteEmbedder(optionsAt(server.url)).embed(['a'])).toHaveLength(1)
    expect(server.requests).toHaveLength(3)
  })

  test('waits as long as the provider says', async () => {
    await using server = await startScriptedProvider((request, index) =>
      index === 0 ? { status: 429, headers: { 'retry-after-ms': '300' }, json: {} } : openaiAnswer(request),
    )
    const start = performance.now()
    await createRemoteEmbedder(optionsAt(server.url)).embed(['a'])
    expect(performance.now() - start).toBeGreaterThanOrEqual(299)
  })

  test('does not wait for an hour, and says how long it would have to', async () => {
    await using server = await startScriptedProvider(() => ({
      status: 429,
      headers: { 'retry-after': '3600' },
      json: {},
    }))
    await expect(createRemoteEmbedder(optionsAt(server.url)).embed(['a'])).rejects.toMatchObject({
      name: 'EmbeddingError',
      kind: 'unavailable',
      retryAfterMs: 3_600_000,
    })
    expect(server.requests).toHaveLength(1)
  })

  test('is given up after the fourth time', async () => {
    await using server = await startScriptedProvider(() => ({ status: 503, json: { error: { message: 'down' } } }))
    await expect(createRemoteEmbedder(optionsAt(server.url)).embed(['a'])).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringMatching(/^No vectors of lab\/vectors: Lab \(127\.0\.0\.1:\d+\) answered 503: down/),
    })
    expect(server.requests).toHaveLength(4)
  })

  test('to a server that is silent ends in time', async () => {
    await using server = await startScriptedProvider(() => undefined)
    const fetch = createModelFetch({ firstByteTimeoutMs: 30, idleTimeoutMs: 30 })
    await expect(createRemoteEmbedder(optionsAt(server.url, { fetch })).embed(['a'])).rejects.toMatchObject({
      kind: 'failed',
      message: expect.stringContaining('did not begin its answer for 0.03 s'),
    })
  })

  test('that the server stumbles over is told from one that comes at a bad time', async () => {
    await using server = await startScriptedProvider(() => ({ status: 500, json: { error: 'unsupported value: NaN' } }))
    await expect(createRemoteEmbedder(optionsAt(server.url)).embed(['a'])).rejects.toMatchObject({ kind: 'failed' })
  })

  test('to nobody says so', async () => {
    const server = await startScriptedProvider(openaiAnswer)
    await server[Symbol.asyncDispose]()
    await expect(createRemoteEmbedder(optionsAt(server.url)).embed(['a'])).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('refused the connection; is it running?'),
    })
  })

  test('that is aborted ends with the reason, while it waits for its turn too', async () => {
    await using server = await startScriptedProvider(() => ({ status: 503, json: {} }))
    const controller = new AbortController()
    const call = createRemoteEmbedder(optionsAt(server.url, { firstDelayMs: 60_000 })).embed(['a'], controller.signal)
    await expect.poll(() => server.requests.length).toBe(1)
    controller.abort(new Error('enough'))
    await expect(call).rejects.toThrow('enough')
  })

  test('to a private address is not made where only public ones are allowed', async () => {
    await using server = await startScriptedProvider(openaiAnswer)
    const fetch = createModelFetch({ firstByteTimeoutMs: 2_000, idleTimeoutMs: 2_000, isPublicOnly: true })
    await expect(createRemoteEmbedder(optionsAt(server.url, { fetch })).embed(['a'])).rejects.toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('PERDURE_PROVIDER_ADDRESSES'),
    })
    expect(server.requests).toHaveLength(0)
  })
})

describe('an answer', () => {
  test.each<[string, ScriptedAnswer, string]>([
    ['with too few vectors', { json: { data: [] } }, 'it sent 0 vectors for 1 texts'],
    ['of other dimensions', { json: { data: [{ embedding: [1, 2, 3] }] } }, 'vectors of 3 numbers instead of 2'],
    ['with a null in a vector', { json: { data: [{ embedding: [1, null] }] } }, 'with what is no number'],
    ['beyond what a number can be', { json: { data: [{ embedding: [1e200, 1] }] } }, 'with what is no number'],
    ['of zeros', { json: { data: [{ embedding: [0, 0] }] } }, 'a vector of zeros'],
    ['of base64 that is cut', { json: { data: [{ embedding: 'AAAA' }] } }, 'a vector that cannot be read'],
    ['of NaN in base64', { json: { data: [{ embedding: 'AADAfwAAwH8=' }] } }, 'with what is no number'],
    ['without a vector', { json: { data: [{ index: 0 }] } }, 'it sent no vector for a text'],
    ['of something else', { json: { choices: [] } }, 'it sent no vectors'],
    ['that is no JSON', { sse: ['<html>'] }, 'it sent what is no JSON'],
  ])('%s is refused, and not asked for again', async (_name, answer, words) => {
    await using server = await startScriptedProvider(() => answer)
    await expect(createRemoteEmbedder(optionsAt(server.url)).embed(['a'])).rejects.toMatchObject({
      name: 'EmbeddingError',
      kind: 'refused',
      message: expect.stringContaining(words),
    })
    expect(server.requests).toHaveLength(1)
  })

  test.each([
    [401, 'Check its key.'],
    [402, 'Its account needs credit.'],
    [404, 'Check the name of the model and the address.'],
    [400, 'Check the model and the address.'],
  ])('of %i is an error that says what to do, without the key', async (status, words) => {
    await using server = await startScriptedProvider(() => ({
      status,
      json: { error: { message: `wrong: ${KEY} at https://x?key=${KEY}` } },
    }))
    const failure = await createRemoteEmbedder(optionsAt(server.url))
      .embed(['a private text'])
      .catch((error: unknown) => error)
    expect(failure).toMatchObject({ kind: 'refused', message: expect.stringContaining(words) })
    const everything = JSON.stringify(failure, Object.getOwnPropertyNames(failure))
    expect(everything).not.toContain(KEY)
    expect(everything).not.toContain('private text')
  })

  test('tells how long vectors are', async () => {
    await using server = await startScriptedProvider(openaiAnswer)
    expect(await findDimensions(optionsAt(server.url))).toBe(2)
  })
})
