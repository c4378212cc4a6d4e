import { join } from 'node:path'
import type { ProviderInput } from '#llm/provider-table.ts'
import type { Logger } from '#platform/logger.ts'
import { createEmbedderRegistry, type EmbedderRegistry } from './create-embedder-registry.ts'

/** The settings that name the embedders, as `config/` has them. */
export interface EmbedderSettings {
  embeddings: 'on' | 'off'
  defaultEmbedding: string | undefined
  providers: readonly ProviderInput[]
  openaiCompatible: readonly (ProviderInput & { baseUrl: string })[]
  cacheDir: string
  modelFirstByteTimeoutMs: number
  modelIdleTimeoutMs: number
}

/** Nothing is loaded or asked before it is needed. */
export function openEmbedders(settings: EmbedderSettings, logger: Logger): EmbedderRegistry {
  return createEmbedderRegistry({
    isEnabled: settings.embeddings === 'on',
    defaultHandle: settings.defaultEmbedding,
    providers: settings.providers,
    openaiCompatible: settings.openaiCompatible,
    cacheDir: join(settings.cacheDir, 'embeddings'),
    logger,
    firstByteTimeoutMs: settings.modelFirstByteTimeoutMs,
    idleTimeoutMs: settings.modelIdleTimeoutMs,
  })
}
