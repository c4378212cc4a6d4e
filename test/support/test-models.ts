import type { EmbeddingModelInfo, Model, ModelEvent, ModelInfo, ModelRegistry, ModelRequest } from '#llm/model.ts'
import { invalidArgument, notFound } from '#platform/errors.ts'

const describe = (handle: string, over: Partial<ModelInfo> = {}): ModelInfo => {
  const [provider = '', name = ''] = handle.split('/')
  return {
    handle,
    name,
    displayName: name,
    providerName: provider,
    providerType: provider,
    endpointType: provider,
    endpoint: `https://${provider}.test/v1`,
    contextWindow: 128_000,
    maxOutputTokens: 16_384,
    hasVision: true,
    hasReasoning: false,
    ...over,
  }
}

const TEST_MODELS: readonly ModelInfo[] = [
  describe('openai/gpt-4o-mini'),
  describe('anthropic/claude-haiku-4-5', { contextWindow: 200_000, maxOutputTokens: 64_000, hasReasoning: true }),
]
const TEST_EMBEDDING_MODELS: readonly EmbeddingModelInfo[] = [
  {
    handle: 'openai/text-embedding-3-small',
    name: 'text-embedding-3-small',
    displayName: 'text-embedding-3-small',
    providerName: 'openai',
    providerType: 'openai',
    endpointType: 'openai',
    endpoint: 'https://openai.test/v1',
    dimensions: 1536,
  },
]

type Stream = (request: ModelRequest) => AsyncIterable<ModelEvent>

/** A registry without a network: two models that all answer by `stream`; without one, a call is a mistake of the test. */
export function testModelRegistry(stream?: Stream, models: readonly ModelInfo[] = TEST_MODELS): ModelRegistry {
  const refuse: Stream = () => {
    throw new Error('this test gave no model; pass one to startTestServer({ models: testModelRegistry(stream) })')
  }
  return {
    listModels: async () => [...models],
    listEmbeddingModels: async () => [...TEST_EMBEDDING_MODELS],
    async getModel(handle): Promise<Model> {
      if (!handle.includes('/')) throw invalidArgument(`Model handle '${handle}' must be <provider>/<model>.`)
      const info = models.find((model) => model.handle === handle)
      if (info === undefined) {
        throw notFound(
          `NOT_FOUND: Handle ${handle} not found, must be one of ${models.map((m) => m.handle).join(', ')}`,
        )
      }
      return { info, stream: stream ?? refuse }
    },
  }
}
