import { fileURLToPath } from 'node:url'
import { createEmbedderRegistry, type EmbedderRegistry } from '#llm/embeddings/create-embedder-registry.ts'
import { createLogger } from '#platform/logger.ts'

export const logger = createLogger({ level: 'warn', format: 'json' })

/** The local embedder, as a server without settings has it. */
export const openLocalEmbedders = (): EmbedderRegistry =>
  createEmbedderRegistry({
    isEnabled: process.env.PERDURE_EMBEDDINGS !== 'off',
    defaultHandle: undefined,
    providers: [],
    openaiCompatible: [],
    cacheDir: fileURLToPath(new URL('../../.cache/embeddings', import.meta.url)),
    logger,
    firstByteTimeoutMs: 60_000,
    idleTimeoutMs: 60_000,
  })
