import type { ListedModel } from '#llm/list-models.ts'

/** OpenAI's embedding models and the length of their vectors; V1 lists these three whatever OpenAI's list says. */
export const OPENAI_EMBEDDINGS: readonly (ListedModel & { dimensions: number })[] = [
  { name: 'text-embedding-ada-002', dimensions: 1536, isChat: false },
  { name: 'text-embedding-3-small', dimensions: 1536, isChat: false },
  { name: 'text-embedding-3-large', dimensions: 3072, isChat: false },
]
