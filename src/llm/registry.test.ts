import { describe, expect, test } from 'vitest'
import { createLogger } from '#platform/logger.ts'
import { type ScriptedAnswer, type SeenRequest, startScriptedProvider } from '../../test/support/scripted-provider.ts'
import { createModelFetch } from './fetch.ts'
import type { Model, ModelRegistry } from './model.ts'
import { createModelRegistry, type ModelRegistryOptions } from './registry.ts'

function registryOf(options: Partial<ModelRegistryOptions>): ModelRegistry {
  return createModelRegistry({
    providers: [],
    openaiCompatible: [],
    firstByteTimeoutMs: 2_000,
    idleTimeoutMs: 2_000,
    logger: createLogger({ level: 'silent', format: 'json' }),
    ...options,
  })
}

/** Answers the vendors' own addresses from a local server. */
const redirectTo =
  (url: string): NonNullable<ModelRegistryOptions['createFetch']> =>
  (options) => {
    const fetch = createModelFetch(options)
    return (target, init) => fetch(String(target).replace(/^https:\/\/[^/]+/, url), init)
  }

const openaiList = (...ids: string[]): ScriptedAnswer => ({ json: { object: 'list', data: ids.map((id) => ({ id })) } })
const SSE = [
  'data: {"id":"c","choices":[{"index":0,"delta":{"content":"ok"},"finish_reason":"stop"}]}\n\n',
  'data: [DONE]\n\n',
]

const handlesOf = async (registry: ModelRegistry): Promise<string[]> =>
  (await registry.listModels(null)).map((info) => info.handle)

async function say(model: Model): Promise<void> {
  const stream = model.stream({
    messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }],
    tools: [],
    toolChoice: { type: 'auto' },
    settings: {},
    signal: new AbortController().signal,
  })
  for await (const _event of stream);
}

describe('without a provider', () => {
  test('the demonstration model is there, and says so where another is asked for', async () => {
    const registry = registryOf({})
    expect(await handlesOf(registry)).toEqual(['perdure/demo'])
    expect((await registry.getModel('perdure/demo', null)).info.handle).toBe('perdure/demo')
    await expect(registry.getModel('openai/gpt-4o', null)).rejects.toMatchObject({
      kind: 'not_found',
      message: 'NOT_FOUND: Handle openai/gpt-4o not found, must be one of [perdure/demo]',
    })
  })

  test.each(['gpt-4o', '/gpt-4o', 'openai/'])('%s is no handle', async (handle) => {
    await expect(registryOf({}).getModel(handle, null)).rejects.toMatchObject({ kind: 'invalid_argument' })
  })
})

describe('lists', () => {
  test("OpenAI's own list is filtered as V1 does; other models of it can be called", async () => {
    await using server = await startScriptedProvider(() =>
      openaiList(
        'gpt-4o-mini',
        'gpt-5',
        'o3',
        'gpt-4o-audio-preview',
        'o1-mini',
        'whisper-1',
        'ft:gpt-4o:acme',
        'babbage-002',
      ),
    )
    const registry = registryOf({
      providers: [{ name: 'openai', apiKey: 'k', baseUrl: undefined }],
      createFetch: redirectTo(server.url),
    })
    expect(await handlesOf(registry)).toEqual(['openai/gpt-4o-mini', 'openai/gpt-5', 'openai/o3', 'perdure/demo'])
    const [mini] = await registry.listModels(null)
    expect(mini).toMatchObject({
      contextWindow: 128_000,
      maxOutputTokens: 16_384,
      endpoint: 'https://api.openai.com/v1',
    })
    expect((await registry.getModel('openai/ft:gpt-4o:acme', null)).info.name).toBe('ft:gpt-4o:acme')
    await expect(registry.getModel('openai/gpt-9', null)).rejects.toMatchObject({ kind: 'not_found' })
    const embeddings = await registry.listEmbeddingModels(null)
    expect(embeddings.map(({ handle, dimensions }) => `${handle} ${dimensions}`)).toEqual([
      'openai/text-embedding-ada-002 1536',
      'openai/text-embedding-3-small 1536',
      'openai/text-embedding-3-large 3072',
      'perdure/all-MiniLM-L6-v2 384',
    ])
    expect(server.requests[0]?.headers.authorization).toBe('Bearer k')
    expect(server.requests).toHaveLength(1)
  })

  test('Anthropic, Gemini and Ollama in their own forms', async () => {
    await using server = await startScriptedProvider(({ path, headers, body }) => {
      if (path.startsWith('/v1/models')) {
        expect(headers).toMatchObject({ 'x-api-key': 'k', 'anthropic-version': '2023-06-01' })
        return {
          json: { data: [{ id: 'claude-sonnet-4-5-20250929', type: 'model', display_name: 'Claude Sonnet 4.5' }] },
        }
      }
      if (path.startsWith('/v1beta/models')) {
        expect(headers['x-goog-api-key']).toBe('k')
        const gemini = { name: 'models/gemini-2.5-flash', displayName: 'Gemini 2.5 Flash', inputTokenLimit: 1_048_576 }
        return {
          json: {
            models: [
              { ...gemini, outputTokenLimit: 65_536, supportedGenerationMethods: ['generateContent'] },
              { name: 'models/gemini-embedding-001', supportedGenerationMethods: ['embedContent'] },
            ],
          },
        }
      }
      if (path === '/api/tags') return { json: { models: [{ name: 'qwen3:8b' }, { name: 'nomic-embed-text:latest' }] } }
      if (path !== '/api/show') return { status: 404 }
      return body.model === 'qwen3:8b'
        ? {
            json: { capabilities: ['completion', 'tools', 'thinking'], model_info: { 'qwen3.context_length': 40_960 } },
          }
        : { json: { capabilities: ['embedding'], model_info: { 'nomic-bert.embedding_length': 768 } } }
    })
    const registry = registryOf({
      providers: [
        { name: 'ollama', apiKey: undefined, baseUrl: server.url },
        { name: 'anthropic', apiKey: 'k', baseUrl: undefined },
        { name: 'google_ai', apiKey: 'k', baseUrl: undefined },
      ],
      createFetch: redirectTo(server.url),
    })
    const models = await registry.listModels(null)
    expect(models.map(({ handle, displayName, contextWindow }) => [handle, displayName, contextWindow])).toEqual([
      ['anthropic/claude-sonnet-4-5-20250929', 'Claude Sonnet 4.5', 200_000],
      ['google_ai/gemini-2.5-flash', 'Gemini 2.5 Flash', 1_048_576],
      ['ollama/qwen3:8b', 'qwen3:8b', 40_960],
      ['perdure/demo', expect.anything(), expect.anything()],
    ])
    expect(models[2]).toMatchObject({ hasReasoning: true, endpoint: `${server.url}/v1` })
    const embeddings = await registry.listEmbeddingModels(null)
    expect(embeddings.map(({ handle, dimensions }) => `${handle} ${dimensions}`)).toEqual([
      'google_ai/gemini-embedding-001 3072',
      'ollama/nomic-embed-text:latest 768',
      'perdure/all-MiniLM-L6-v2 384',
    ])
    // the short name of a dated model
    expect((await registry.getModel('anthropic/claude-sonnet-4-5', null)).info.contextWindow).toBe(200_000)
  })

  test('what a server says of its models counts more than their names', async () => {
    await using server = await startScriptedProvider(() => ({
      json: { data: [{ id: 'gpt-4o', max_model_len: 9_000 }, { id: 'mine' }, { id: 'bge-m3', type: 'embedding' }] },
    }))
    const registry = registryOf({ openaiCompatible: [{ name: 'lab', baseUrl: server.url, apiKey: undefined }] })
    const models = await registry.listModels(null)
    expect(models.map(({ handle, contextWindow }) => [handle, contextWindow])).toEqual([
      ['lab/gpt-4o', 9_000],
      ['lab/mine', 32_000],
      ['perdure/demo', expect.anything()],
    ])
    expect(server.requests[0]?.headers.authorization).toBeUndefined()
  })

  test('calls at the same time share one request', async () => {
    await using server = await startScriptedProvider(() => openaiList('m'))
    const registry = registryOf({ openaiCompatible: [{ name: 'lab', baseUrl: server.url, apiKey: undefined }] })
    await Promise.all([registry.listModels(null), registry.getModel('lab/m', null), registry.listModels(null)])
    expect(server.requests).toHaveLength(1)
  })

  test('a provider that cannot be reached is left out, and its handles are trusted', async () => {
    const registry = registryOf({
      openaiCompatible: [{ name: 'off', baseUrl: 'http://127.0.0.1:9/v1', apiKey: undefined }],
    })
    expect(await handlesOf(registry)).toEqual(['perdure/demo'])
    const model = await registry.getModel('off/anything', null)
    expect(model.info).toMatchObject({ handle: 'off/anything', contextWindow: 32_000 })
    expect(await registry.getModel('off/anything', null)).toBe(model)
  })
})

describe('base URLs', () => {
  const serveUnder =
    (prefix: string) =>
    ({ path }: SeenRequest): ScriptedAnswer => {
      if (path === `${prefix}/models`) return openaiList('m')
      return path === `${prefix}/chat/completions` ? { sse: SSE } : { status: 404 }
    }

  test.each([
    ['/v1', ''],
    ['/v1', '/'],
    ['/v1', '/v1'],
    ['/v1', '/v1/'],
    ['', '/v1'],
    ['', ''],
    ['/openai/v1', '/openai'],
  ])('a server under "%s" is found from "%s"', async (prefix, given) => {
    await using server = await startScriptedProvider(serveUnder(prefix))
    const registry = registryOf({
      openaiCompatible: [{ name: 'lab', baseUrl: server.url + given, apiKey: undefined }],
    })
    await say(await registry.getModel('lab/m', null))
    await say(await registry.getModel('lab/m', null))
    const paths = server.requests.map(({ path }) => path).filter((path) => path.endsWith('/chat/completions'))
    expect(paths).toEqual([`${prefix}/chat/completions`, `${prefix}/chat/completions`])
  })

  test('a server without a list is called under /v1', async () => {
    await using server = await startScriptedProvider(({ path }) =>
      path === '/v1/chat/completions' ? { sse: SSE } : { status: 404 },
    )
    const registry = registryOf({ providers: [{ name: 'openai', apiKey: 'k', baseUrl: server.url }] })
    await say(await registry.getModel('openai/gpt-4o-mini', null))
    expect(server.requests.at(-1)?.path).toBe('/v1/chat/completions')
  })

  test('with a base URL, handles of OpenAI stay, reasoning models use chat, and openai-proxy is the same', async () => {
    await using server = await startScriptedProvider(({ path }) =>
      path === '/v1/models' ? openaiList('gpt-5-mini', 'house-model') : { sse: SSE },
    )
    const registry = registryOf({ providers: [{ name: 'openai', apiKey: 'k', baseUrl: `${server.url}/v1` }] })
    expect(await handlesOf(registry)).toEqual(['openai/gpt-5-mini', 'openai/house-model', 'perdure/demo'])
    const model = await registry.getModel('openai-proxy/gpt-5-mini', null)
    expect(model).toBe(await registry.getModel('openai/gpt-5-mini', null))
    expect(model.info.handle).toBe('openai/gpt-5-mini')
    await say(model)
    expect(server.requests.at(-1)?.path).toBe('/v1/chat/completions')
  })

  test("Anthropic's address is taken with and without /v1", async () => {
    await using server = await startScriptedProvider(({ path }) =>
      path.startsWith('/v1/models') ? openaiList('claude-sonnet-4-5') : { status: 404 },
    )
    const registry = registryOf({ providers: [{ name: 'anthropic', apiKey: 'k', baseUrl: server.url }] })
    expect((await registry.getModel('anthropic/claude-sonnet-4-5', null)).info.endpoint).toBe(`${server.url}/v1`)
  })
})
