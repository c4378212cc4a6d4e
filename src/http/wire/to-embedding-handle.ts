interface EmbeddingFields {
  embedding?: string | null
  embedding_config?: Record<string, unknown> | null
}

/** The handle that a request names, in the present way or in the older one; null where it names none. */
export function toEmbeddingHandle({ embedding, embedding_config: config }: EmbeddingFields): string | null {
  const handle = config?.handle
  return embedding || (typeof handle === 'string' && handle !== '' ? handle : null)
}
