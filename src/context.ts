import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { fileURLToPath } from 'node:url'
import { createRunLoop } from '#agent/run-loop.ts'
import { type Config, secretsOf } from '#config/config.ts'
import type { ModelRegistry } from '#llm/model.ts'
import { createModelRegistry } from '#llm/registry.ts'
import { DomainError } from '#platform/errors.ts'
import { DEFAULT_ORGANIZATION_ID } from '#platform/ids.ts'
import { createLogger, type Logger, namedLogger } from '#platform/logger.ts'
import { RunEngine } from '#runs/run-engine.ts'
import type { Db, StatementObserver } from '#store/db.ts'
import { migrate } from '#store/migrate.ts'
import { openDatabase } from '#store/open-database.ts'
import { ensurePartitions } from '#store/partitions.ts'
import { templateDirectory } from '#store/pglite-template.ts'
import { ensureBuiltinTools } from '#tools/ensure-builtin-tools.ts'

/** Everything that lives as long as the process; built once here, and nowhere else. */
export interface Context extends AsyncDisposable {
  readonly config: Config
  readonly logger: Logger
  readonly db: Db
  readonly models: ModelRegistry
  readonly runs: RunEngine
}

/** What a test or a benchmark brings itself. A database that was brought is not closed here. */
export interface ContextOverrides {
  db?: Db
  logger?: Logger
  models?: ModelRegistry
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
  await bringUpToDate(db, logger)
  await ensurePartitions(db, new Date())
  await ensureBuiltinTools(db, DEFAULT_ORGANIZATION_ID)
  const partitions = setInterval(() => void makePartitionsAhead(db, logger), PARTITION_CHECK_MS)
  resources.defer(() => clearInterval(partitions))

  const models =
    overrides.models ??
    createModelRegistry({
      providers: config.providers,
      openaiCompatible: config.openaiCompatible,
      firstByteTimeoutMs: config.modelFirstByteTimeoutMs,
      idleTimeoutMs: config.modelIdleTimeoutMs,
      logger: namedLogger(logger, 'llm'),
    })
  const runs = resources.use(
    new RunEngine({
      db,
      logger: namedLogger(logger, 'runs'),
      owner: `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`,
      leaseMs: config.runLeaseMs,
      execute: createRunLoop({
        db,
        models,
        logger: namedLogger(logger, 'agent'),
        maxContextWindow: config.globalMaxContextWindow,
      }),
    }),
  )
  await runs.open()

  const owned = resources.move()
  return { config, logger, db, models, runs, [Symbol.asyncDispose]: () => owned.disposeAsync() }
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

/** Migrations are the first that asks PostgreSQL for anything: where it does not answer, say which setting leads there. */
async function bringUpToDate(db: Db, logger: Logger): Promise<void> {
  try {
    await migrate(db, { onProgress: (line) => logger.info(line) })
  } catch (error) {
    if (!(error instanceof DomainError) || error.kind !== 'unavailable' || db.engine !== 'postgres') throw error
    const what = error.message.replace(/; try again in a moment$/, '')
    throw new DomainError(
      'unavailable',
      `PERDURE_DATABASE_URL: ${what}. Does it run, and are address, name and password right?`,
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
