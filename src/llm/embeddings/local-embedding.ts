import type { EmbeddingModelInfo } from '#llm/model.ts'

/** The model that needs no key and no network, as listings show it. */
export const LOCAL_EMBEDDING: EmbeddingModelInfo = {
  handle: 'perdure/all-MiniLM-L6-v2',
  name: 'all-MiniLM-L6-v2',
  displayName: 'all-MiniLM-L6-v2',
  providerName: 'perdure',
  // types that V1's clients know; it is a model of sentence-transformers
  providerType: 'hugging-face',
  endpointType: 'hugging-face',
  endpoint: null,
  dimensions: 384,
}

/** Longest text (characters) that it looks at: about what fits into the four pieces that it reads, in English. */
export const MAX_CHARACTERS = 4_000
