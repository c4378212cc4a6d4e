import { type Config, loadConfig } from '#config/config.ts'
import { type Context, createContext } from '#context.ts'
import type { EmbedderRegistry } from '#llm/embeddings/create-embedder-registry.ts'
import type { ModelRegistry } from '#llm/model.ts'
import type { ProviderDesk } from '#llm/registry.ts'
import { createLogger, type Logger } from '#platform/logger.ts'
import type { Db, StatementObserver } from '#store/db.ts'
import { openTestDatabase } from './test-database.ts'
import { testModelRegistry } from './test-models.ts'

export interface TestOverrides {
  config?: Partial<Config>
  /** Is closed by whoever opened it; a new one otherwise. */
  db?: Db
  /** `configured`: those that the settings and the tenants name, as a real server has them. */
  models?: ModelRegistry | 'configured'
  /** What makes vectors; none are made otherwise. */
  embedders?: EmbedderRegistry
  logger?: Logger
  onStatement?: StatementObserver
}

const OFFLINE_DESK: ProviderDesk = {
  isConfigured: () => false,
  tryProvider: async ({ baseUrl }) => ({ baseUrl, models: [] }),
  forgetProviders: () => {},
}

/** What a test server works with: a new database, two models that nobody serves, no key, a silent log. */
export async function createTestContext(overrides: TestOverrides = {}): Promise<Context> {
  const { onStatement } = overrides
  const own =
    overrides.db === undefined ? await openTestDatabase(onStatement === undefined ? {} : { onStatement }) : undefined
  const db = overrides.db ?? own
  if (db === undefined) throw new Error('no database')
  // loading the model would be most of what a test does; those that want vectors bring an embedder, or switch them on
  const embeddings = overrides.embedders === undefined ? 'off' : 'on'
  const config = {
    ...loadConfig({ env: {} }),
    encryptionKey: 'a key for tests',
    embeddings,
    ...overrides.config,
  } as const
  const level = process.env.TEST_LOG_LEVEL === 'debug' ? 'debug' : 'silent'
  const context = await createContext(config, {
    db,
    ...(overrides.models === 'configured' ? {} : { models: overrides.models ?? testModelRegistry() }),
    ...(overrides.embedders === undefined ? {} : { embedders: overrides.embedders }),
    logger: overrides.logger ?? createLogger({ level, format: 'json' }),
  })
  // no provider that a test brings is asked over a network
  if (overrides.models !== 'configured') Object.assign(context, { providers: OFFLINE_DESK })
  const dispose = context[Symbol.asyncDispose].bind(context)
  return Object.assign(context, {
    async [Symbol.asyncDispose]() {
      await dispose()
      await own?.[Symbol.asyncDispose]()
    },
  })
}
