import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../support/test-server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

test.each<[string, string[]]>([
  ['', ['openai/gpt-4o-mini', 'anthropic/claude-haiku-4-5']],
  ['provider_name=openai', ['openai/gpt-4o-mini']],
  ['provider_type=anthropic', ['anthropic/claude-haiku-4-5']],
  ['provider_type=groq', []],
  ['provider_category=base', ['openai/gpt-4o-mini', 'anthropic/claude-haiku-4-5']],
  ['provider_category=byok', []],
])('%s', async (query, expected) => {
  const { body } = await server.request<{ handle: string }[]>('GET', `/v1/models/?${query}`)
  expect(body.map((model) => model.handle)).toEqual(expected)
})

test('a model shows what is known of it', async () => {
  const [, model] = (await server.request<Record<string, unknown>[]>('GET', '/v1/models/')).body
  expect(model).toMatchObject({
    handle: 'anthropic/claude-haiku-4-5',
    model: 'claude-haiku-4-5',
    model_type: 'llm',
    model_endpoint_type: 'anthropic',
    context_window: 200_000,
    max_context_window: 200_000,
    max_tokens: 64_000,
    enable_reasoner: true,
    provider_category: 'base',
  })
})

test('a category that does not exist is refused', async () => {
  expect((await server.request('GET', '/v1/models/?provider_category=mine')).status).toBe(422)
})

test('embedding models, by the official client', async () => {
  const client = await server.sdk()
  expect(await client.models.embeddings.list()).toEqual([
    expect.objectContaining({
      handle: 'openai/text-embedding-3-small',
      embedding_dim: 1536,
      embedding_chunk_size: 300,
    }),
  ])
  expect((await client.models.list({ provider_category: ['base'] })).length).toBe(2)
})
