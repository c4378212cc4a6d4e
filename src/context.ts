import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { AgentRuns } from '#agent/agent-messenger.ts'
import { loadTenantProviders } from '#agent/providers/load-tenant-providers.ts'
import { createRunLoop } from '#agent/run-loop.ts'
import { TraceWriter } from '#agent/trace-writer.ts'
import {
  type Config,
  memoryLimitsOf,
  redisUrlOf,
  secretsOf,
  storageSettingsOf,
  webhookSecretsOf,
} from '#config/config.ts'
import { findEncryptionKey } from '#config/find-encryption-key.ts'
import { BatchAdvancer } from '#jobs/advance-batches.ts'
import { WebhookDeliverer } from '#jobs/deliver-webhooks.ts'
import { denyOverdueApprovals } from '#jobs/deny-overdue-approvals.ts'
import { TextEmbedder } from '#jobs/embed-texts.ts'
import { forgetIdempotencyKeys } from '#jobs/forget-idempotency-keys.ts'
import { CallbackPoster } from '#jobs/post-callback.ts'
import { FileReader } from '#jobs/read-uploaded-files.ts'
import { CompanionStarter } from '#jobs/start-companion-runs.ts'
import { ScheduleStarter } from '#jobs/start-due-schedules.ts'
import type { EmbedderRegistry } from '#llm/embeddings/create-embedder-registry.ts'
import { openEmbedders } from '#llm/embeddings/open-embedders.ts'
import type { ModelRegistry } from '#llm/model.ts'
import { createModelRegistry, type ProviderDesk } from '#llm/registry.ts'
import { openStorages } from '#memory/files/storage/open-storages.ts'
import type { UploadStorages } from '#memory/files/storage/upload-storage.ts'
import { RetrievalLog } from '#memory/retrieval-log.ts'
import { StoredVectorSearch, type VectorSearch } from '#memory/search/vector-search.ts'
import { DomainError, errorMessage } from '#platform/errors.ts'
import { DEFAULT_ORGANIZATION_ID } from '#platform/ids.ts'
import { createLogger, type Logger, namedLogger } from '#platform/logger.ts'
import { SecretBox } from '#platform/secret-box.ts'
import { Shutdown } from '#platform/shutdown.ts'
import { VERSION } from '#platform/version.ts'
import type { RedisFanout } from '#runs/redis-fanout.ts'
import { RunEngine } from '#runs/run-engine.ts'
import type { Db, StatementObserver } from '#store/db.ts'
import { describeDatabase, lackOf, whyUnreachable } from '#store/describe-database.ts'
import { setServerLimits } from '#store/limits/set-memory-limits.ts'
import { migrate } from '#store/migrate.ts'
import { openDatabase } from '#store/open-database.ts'
import { ensurePartitions } from '#store/partitions.ts'
import { templateDirectory } from '#store/pglite-template.ts'
import type { CustomTools } from '#tools/custom-tools.ts'
import { ensureBuiltinTools } from '#tools/ensure-builtin-tools.ts'
import type { McpPool } from '#tools/mcp/mcp-pool.ts'
import type { ToolServices } from '#tools/tool.ts'
import { openTools } from './open-tools.ts'

/** Everything that lives as long as the process; built once here, and nowhere else. */
export interface Context extends AsyncDisposable {
  readonly config: Config
  readonly logger: Logger
  readonly db: Db
  /** Where the bytes of uploads wait. */
  readonly uploads: UploadStorages
  readonly models: ModelRegistry
  /** Where tenants bring providers of their own. */
  readonly providers: ProviderDesk
  /** Encrypts what is secret in the database. */
  readonly secrets: SecretBox
  /** Connections to MCP servers. */
  readonly mcp: McpPool
  readonly runs: RunEngine
  /** Makes the vectors of what is written. */
  readonly textEmbedder: Pick<TextEmbedder, 'problem'>
  /** Executes tools that are not the server's own. */
  readonly customTools: CustomTools
  /** Which passages searches give. */
  readonly retrievals: RetrievalLog
  /** What built-in tools work with. */
  readonly services: ToolServices
  /** Finds texts by what they mean. */
  readonly vectors: VectorSearch
  /** Undefined where no Redis is configured. */
  readonly fanout: RedisFanout | undefined
  readonly shutdown: Shutdown
}

/** What a test or a benchmark brings itself. A database that was brought is not closed here. */
export interface ContextOverrides {
  db?: Db
  logger?: Logger
  models?: ModelRegistry
  embedders?: EmbedderRegistry
  onStatement?: StatementObserver
}

/** Where `npm start` and the published package keep the prepared embedded database: beside `src/` and `dist/`. */
const TEMPLATE_ROOT = fileURLToPath(new URL('../.cache', import.meta.url))
const PARTITION_CHECK_MS = 6 * 3_600_000

/** Opens the database, brings it up to date, and begins to work on what the last process left. Throws what is in the way. */
export async function createContext(config: Config, overrides: ContextOverrides = {}): Promise<Context> {
  await using resources = new AsyncDisposableStack()
  const logger =
    overrides.logger ?? createLogger({ level: config.logLevel, format: config.logFormat, secrets: secretsOf(config) })
  const db = overrides.db ?? resources.use(await openConfiguredDatabase(config, logger, overrides.onStatement))
  await prepareDatabase(db, logger)
  await setServerLimits(db, memoryLimitsOf(config))
  const uploads = await openStorages(resources, db, storageSettingsOf(config))
  const secrets = new SecretBox(await findEncryptionKey(config))
  const partitions = setInterval(() => void makePartitionsAhead(db, logger), PARTITION_CHECK_MS)
  resources.defer(() => clearInterval(partitions))

  const providers = createModelRegistry({
    providers: config.providers,
    openaiCompatible: config.openaiCompatible,
    firstByteTimeoutMs: config.modelFirstByteTimeoutMs,
    idleTimeoutMs: config.modelIdleTimeoutMs,
    logger: namedLogger(logger, 'llm'),
    loadTenantProviders: (organizationId) => loadTenantProviders(db, secrets, organizationId),
    allowsPrivate: config.providerAddresses === 'any',
  })
  const models = overrides.models ?? providers
  const fanout = resources.use(await openFanout(config, db, logger))
  const agentRuns: AgentRuns = {}
  const embedders = overrides.embedders ?? resources.use(openEmbedders(config, namedLogger(logger, 'embeddings')))
  const vectors = new StoredVectorSearch({ db, logger: namedLogger(logger, 'search'), embedders })
  const retrievals = resources.use(new RetrievalLog({ db, logger: namedLogger(logger, 'retrievals') }))
  const { mcp, customTools, services } = openTools(resources, { config, logger, db, secrets, vectors, retrievals })
  const traces =
    config.providerTraces === 'on'
      ? resources.use(new TraceWriter({ db, logger: namedLogger(logger, 'traces') }))
      : undefined
  const runs = resources.use(
    new RunEngine({
      db,
      logger: namedLogger(logger, 'runs'),
      owner: `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`,
      leaseMs: config.runLeaseMs,
      maxActive: config.maxActiveRuns,
      maxQueued: config.maxQueuedRuns,
      streamRetentionMs: config.streamRetentionMs,
      streamMaxBytes: config.streamMaxBytes,
      fanout,
      execute: createRunLoop({
        db,
        models,
        logger: namedLogger(logger, 'agent'),
        maxContextWindow: config.globalMaxContextWindow,
        agentRuns,
        customTools,
        services,
        traces,
        summaryTimeoutMs: config.summaryTimeoutMs,
      }),
    }),
  )
  agentRuns.runs = runs
  await runs.open()
  const textEmbedder = resources.use(new TextEmbedder({ db, logger: namedLogger(logger, 'embeddings'), embedders }))
  textEmbedder.start()
  startJobs(resources, { config, logger, db, uploads, runs })

  const owned = resources.move()
  return {
    config,
    logger,
    db,
    uploads,
    models,
    providers,
    secrets,
    customTools,
    retrievals,
    services,
    mcp,
    vectors,
    runs,
    textEmbedder,
    fanout,
    shutdown: new Shutdown(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Work that nobody waits for. It ends before the engine does, which it gives runs to. */
function startJobs(
  resources: AsyncDisposableStack,
  { config, logger, db, uploads, runs }: Pick<Context, 'config' | 'logger' | 'db' | 'uploads' | 'runs'>,
): void {
  const timeoutMs = config.webhookTimeoutMs
  const allowsPrivate = config.webhookAddresses === 'any'
  const poster = resources.use(new CallbackPoster({ timeoutMs, allowsPrivate, version: VERSION }))
  const deliverer = resources.use(
    new WebhookDeliverer({
      db,
      logger: namedLogger(logger, 'webhooks'),
      poster,
      secrets: webhookSecretsOf(config),
      timeoutMs,
    }),
  )
  deliverer.start()
  resources.use(new FileReader({ db, storages: uploads, logger: namedLogger(logger, 'files') })).start()
  const schedules = resources.use(new ScheduleStarter({ db, logger: namedLogger(logger, 'schedules'), runs }))
  schedules.start()
  resources.use(new CompanionStarter({ db, logger: namedLogger(logger, 'sleeptime'), runs })).start()
  const batches = resources.use(
    new BatchAdvancer({ db, logger: namedLogger(logger, 'batches'), runs, maxRuns: config.batchRuns }),
  )
  batches.start()
  if (config.approvalTimeoutMs > 0) {
    const timeoutMs = config.approvalTimeoutMs
    resources.use(denyOverdueApprovals({ db, logger: namedLogger(logger, 'approvals'), runs, timeoutMs })).start()
  }
  resources.use(forgetIdempotencyKeys(db, namedLogger(logger, 'idempotency'))).start()
}

async function openConfiguredDatabase(
  config: Config,
  logger: Logger,
  onStatement: StatementObserver | undefined,
): Promise<Db> {
  if (config.databaseUrl !== undefined) {
    return openDatabase({ kind: 'postgres', url: config.databaseUrl, poolSize: config.databasePoolSize, onStatement })
  }
  return openDatabase({
    kind: 'pglite',
    dataDir: config.dataDir,
    templateDir: await templateDirectory(TEMPLATE_ROOT),
    onProgress: (line) => logger.info(line),
    onStatement,
  })
}

/** One process alone has nobody to carry events to. What is not used is not loaded. */
async function openFanout(config: Config, db: Db, logger: Logger): Promise<RedisFanout | undefined> {
  const url = redisUrlOf(config)
  if (url === undefined || db.engine === 'pglite') return undefined
  const { RedisFanout } = await import('#runs/redis-fanout.ts')
  return new RedisFanout({ url, logger: namedLogger(logger, 'redis') })
}

/** What every process does before it works; those that come later find nothing to do. */
export async function prepareDatabase(db: Db, logger: Logger): Promise<void> {
  await bringUpToDate(db, logger)
  await ensurePartitions(db, new Date())
  await ensureBuiltinTools(db, DEFAULT_ORGANIZATION_ID)
}

/** This is the first that asks PostgreSQL for anything: where it does not answer, or is too old, say which setting leads there. */
async function bringUpToDate(db: Db, logger: Logger): Promise<void> {
  try {
    const lack = db.engine === 'postgres' ? lackOf(await describeDatabase(db)) : undefined
    if (lack !== undefined) throw new DomainError('conflict', `PERDURE_DATABASE_URL: ${lack}`)
    await migrate(db, { onProgress: (line) => logger.info(line) })
  } catch (error) {
    if (/extension "vector"/.test(errorMessage(error))) {
      throw new DomainError(
        'conflict',
        `${errorMessage(error)}: run "create extension vector" in this database as a superuser.`,
        { cause: error },
      )
    }
    if (!(error instanceof DomainError) || error.kind !== 'unavailable' || db.engine !== 'postgres') throw error
    throw new DomainError(
      'unavailable',
      `PERDURE_DATABASE_URL: ${whyUnreachable(error)}. Does it run, and are address, name and password right?`,
      {
        cause: error,
      },
    )
  }
}

async function makePartitionsAhead(db: Db, logger: Logger): Promise<void> {
  try {
    await ensurePartitions(db, new Date())
  } catch (error) {
    logger.error({ err: error }, 'partitions of the next months could not be made; tried again in six hours')
  }
}
