import { describe, expect, test } from 'vitest'
import { createModelFetch } from '#llm/fetch.ts'
import { createLogger } from '#platform/logger.ts'
import {
  type ScriptedAnswer,
  type SeenRequest,
  startScriptedProvider,
} from '../../../test/support/scripted-provider.ts'
import {
  createEmbedderRegistry,
  type EmbedderRegistry,
  type EmbedderRegistryOptions,
} from './create-embedder-registry.ts'

const registryOf = (options: Partial<EmbedderRegistryOptions>): EmbedderRegistry =>
  createEmbedderRegistry({
    isEnabled: true,
    defaultHandle: undefined,
    providers: [],
    openaiCompatible: [],
    cacheDir: undefined,
    logger: createLogger({ level: 'silent', format: 'json' }),
    firstByteTimeoutMs: 2_000,
    idleTimeoutMs: 2_000,
    firstDelayMs: 1,
    ...options,
  })

/** Answers the vendors' own addresses from a local server. */
const redirectTo =
  (url: string): NonNullable<EmbedderRegistryOptions['createFetch']> =>
  (options) => {
    const fetch = createModelFetch(options)
    return (target, init) => fetch(String(target).replace(/^https:\/\/[^/]+/, url), init)
  }

const vectorsOf = (length: number, { body }: SeenRequest): ScriptedAnswer => ({
  json: { data: body.input.map((_: string, index: number) => ({ index, embedding: Array(length).fill(1) })) },
})

describe('without a provider', () => {
  test('the local model is there, and is the default', async () => {
    await using registry = registryOf({})
    expect(registry.defaultHandle).toBe('perdure/all-MiniLM-L6-v2')
    const embedder = await registry.getEmbedder('perdure/all-MiniLM-L6-v2')
    expect([embedder.handle, embedder.dimensions]).toEqual(['perdure/all-MiniLM-L6-v2', 384])
    expect(await registry.getEmbedder('perdure/all-MiniLM-L6-v2')).toBe(embedder)
  })

  test('other handles are refused, with what there is', async () => {
    await using registry = registryOf({
      providers: [
        { name: 'openai', apiKey: 'k', baseUrl: undefined },
        { name: 'anthropic', apiKey: 'k', baseUrl: undefined },
      ],
    })
    for (const handle of ['nobody/x', 'anthropic/claude-haiku-4-5', 'perdure/other']) {
      await expect(registry.getEmbedder(handle)).rejects.toMatchObject({
        kind: 'not_found',
        message: `NOT_FOUND: Handle ${handle} not found, must be one of [openai/…, perdure/all-MiniLM-L6-v2]. A provider is there when its key or address is set (docs/configuration.md).`,
      })
    }
  })

  test.each(['x', '/x', 'x/'])('%s is no handle', async (handle) => {
    await using registry = registryOf({})
    await expect(registry.getEmbedder(handle)).rejects.toMatchObject({ kind: 'invalid_argument' })
  })
})

test('switched off there is no default, and whoever asks is told how to switch it on', async () => {
  await using registry = registryOf({ isEnabled: false, defaultHandle: 'openai/text-embedding-3-small' })
  expect(registry.defaultHandle).toBeUndefined()
  await expect(registry.getEmbedder('perdure/all-MiniLM-L6-v2')).rejects.toMatchObject({
    kind: 'unavailable',
    message: 'Embeddings are switched off; PERDURE_EMBEDDINGS=on switches them on.',
  })
})

test("OpenAI's models are known without a question", async () => {
  await using server = await startScriptedProvider((request) => vectorsOf(1536, request))
  await using registry = registryOf({
    defaultHandle: 'openai/text-embedding-3-small',
    providers: [{ name: 'openai', apiKey: 'k', baseUrl: undefined }],
    createFetch: redirectTo(server.url),
  })
  expect(registry.defaultHandle).toBe('openai/text-embedding-3-small')
  const embedder = await registry.getEmbedder('openai/text-embedding-3-small')
  expect(embedder.dimensions).toBe(1536)
  expect(server.requests).toHaveLength(0)
  expect((await embedder.embed(['a']))[0]).toHaveLength(1536)
  expect(server.requests.map(({ path }) => path)).toEqual(['/v1/embeddings'])
})

test('Gemini: the list says how long vectors are', async () => {
  await using server = await startScriptedProvider(() => ({
    json: { models: [{ name: 'models/gemini-embedding-001', supportedGenerationMethods: ['embedContent'] }] },
  }))
  await using registry = registryOf({
    providers: [{ name: 'google_ai', apiKey: 'k', baseUrl: undefined }],
    createFetch: redirectTo(server.url),
  })
  expect((await registry.getEmbedder('google_ai/gemini-embedding-001')).dimensions).toBe(3072)
})

test('Ollama: the list says how long vectors are, and the tag may be left out', async () => {
  await using server = await startScriptedProvider(({ path, body }) => {
    if (path === '/api/tags') return { json: { models: [{ name: 'nomic-embed-text:latest' }] } }
    if (path === '/api/show') {
      return { json: { capabilities: ['embedding'], model_info: { 'nomic-bert.embedding_length': 3 } } }
    }
    return { json: { embeddings: body.input.map(() => [1, 2, 3]) } }
  })
  await using registry = registryOf({ providers: [{ name: 'ollama', apiKey: undefined, baseUrl: server.url }] })
  const embedder = await registry.getEmbedder('ollama/nomic-embed-text')
  expect(embedder.dimensions).toBe(3)
  expect(await embedder.embed(['a'])).toHaveLength(1)
  expect(server.requests.at(-1)?.path).toBe('/api/embed')
})

test('a server like OpenAI is asked for a vector, once, at the address that answers', async () => {
  await using server = await startScriptedProvider((request) => {
    if (request.path === '/v1/models') return { json: { data: [{ id: 'bge-small' }] } }
    return request.path === '/v1/embeddings' ? vectorsOf(5, request) : { status: 404 }
  })
  await using registry = registryOf({ openaiCompatible: [{ name: 'lab', apiKey: undefined, baseUrl: server.url }] })
  const [one, other] = await Promise.all([registry.getEmbedder('lab/bge-small'), registry.getEmbedder('lab/bge-small')])
  expect(one).toBe(other)
  expect(one.dimensions).toBe(5)
  expect(server.requests.filter(({ path }) => path === '/v1/embeddings')).toHaveLength(1)
})

test('a server that was down is asked again', async () => {
  let isUp = false
  await using server = await startScriptedProvider((request) => {
    if (!isUp) return { status: 503 }
    return request.path === '/v1/models' ? { json: { data: [{ id: 'm' }] } } : vectorsOf(5, request)
  })
  await using registry = registryOf({
    openaiCompatible: [{ name: 'lab', apiKey: undefined, baseUrl: `${server.url}/v1` }],
  })
  await expect(registry.getEmbedder('lab/m')).rejects.toMatchObject({ name: 'EmbeddingError', kind: 'unavailable' })
  isUp = true
  expect((await registry.getEmbedder('lab/m')).dimensions).toBe(5)
})
