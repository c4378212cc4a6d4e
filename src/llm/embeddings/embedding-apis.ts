/** Which API makes the vectors. */
export type EmbeddingApiKind = 'openai' | 'google' | 'ollama' | 'openai-compatible'

export interface EmbeddingQuestion {
  baseUrl: string
  apiKey: string | undefined
  model: string
  texts: readonly string[]
}

export interface EmbeddingRequest {
  url: string
  headers: Record<string, string>
  body: unknown
}

interface EmbeddingApi {
  /** Texts of one request at most. */
  maxTexts: number
  /** Characters of one text; a longer one is cut. */
  maxCharacters: number
  buildRequest(question: EmbeddingQuestion): EmbeddingRequest
  /** The vectors of an answer in the order of the texts, as they are written there; undefined where it has none. */
  readVectors(body: unknown): unknown[] | undefined
}

/** Characters of one request at most: OpenAI takes 300 000 tokens, and in some scripts a character is one. */
export const MAX_REQUEST_CHARACTERS = 200_000

const bearer = (apiKey: string | undefined): Record<string, string> =>
  apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }

const openai: EmbeddingApi = {
  // 2048 are taken; with fewer, an answer is parsed in a few milliseconds
  maxTexts: 128,
  // 8191 tokens
  maxCharacters: 24_000,
  buildRequest: ({ baseUrl, apiKey, model, texts }) => ({
    url: `${baseUrl}/embeddings`,
    headers: bearer(apiKey),
    // a third of the bytes, and no numbers to parse
    body: { model, input: texts, encoding_format: 'base64' },
  }),
  readVectors: (body) => readOpenAi(body),
}

/** Limits of the APIs, each as its owner documents it. */
export const EMBEDDING_APIS: Readonly<Record<EmbeddingApiKind, EmbeddingApi>> = {
  openai,
  'openai-compatible': {
    ...openai,
    maxTexts: 32,
    maxCharacters: 8_000,
    // not all of them know base64
    buildRequest: (question) => {
      const { url, headers } = openai.buildRequest(question)
      return { url, headers, body: { model: question.model, input: question.texts } }
    },
  },
  google: {
    maxTexts: 100,
    // 2048 tokens; it cuts what is longer
    maxCharacters: 8_000,
    buildRequest: ({ baseUrl, apiKey, model, texts }) => ({
      url: `${baseUrl}/models/${encodeURIComponent(model)}:batchEmbedContents`,
      headers: apiKey === undefined ? {} : { 'x-goog-api-key': apiKey },
      body: { requests: texts.map((text) => ({ model: `models/${model}`, content: { parts: [{ text }] } })) },
    }),
    readVectors: (body) => listOf(body, 'embeddings')?.map((entry) => (entry as { values?: unknown } | null)?.values),
  },
  ollama: {
    maxTexts: 32,
    maxCharacters: 8_000,
    buildRequest: ({ baseUrl, apiKey, model, texts }) => ({
      url: `${baseUrl.replace(/\/v1$/, '')}/api/embed`,
      headers: bearer(apiKey),
      body: { model, input: texts, truncate: true },
    }),
    readVectors: (body) => listOf(body, 'embeddings'),
  },
}

function readOpenAi(body: unknown): unknown[] | undefined {
  const rows = listOf(body, 'data') as ({ index?: unknown; embedding?: unknown } | null)[] | undefined
  if (rows === undefined) return undefined
  const hasOrder = rows.every((row) => Number.isInteger(row?.index))
  const ordered = hasOrder ? rows.toSorted((one, other) => Number(one?.index) - Number(other?.index)) : rows
  return ordered.map((row) => row?.embedding)
}

function listOf(body: unknown, field: string): unknown[] | undefined {
  const list = (body as Record<string, unknown> | null | undefined)?.[field]
  return Array.isArray(list) ? list : undefined
}
