import cluster, { type Worker } from 'node:cluster'
import { flushCompileCache } from 'node:module'
import type { FastifyListenOptions } from 'fastify'
import { type Config, secretsOf } from '#config/config.ts'
import { ConfigError } from '#config/config-error.ts'
import { type Context, createContext } from '#context.ts'
import { errorMessage } from '#platform/errors.ts'
import { createLogger, type Logger } from '#platform/logger.ts'
import { buildServer } from '#server.ts'
import { greeting } from './greeting.ts'
import { countRequests, shutDown } from './shut-down.ts'
import { StopSignal } from './stop-signal.ts'
import { poolShare } from './worker-count.ts'

const MODELS_IN_LOG = 12

/** Starts the server and returns when a signal has stopped it. Throws ConfigError where it cannot listen. */
export async function runServer(config: Config): Promise<void> {
  using stop = new StopSignal()
  const { worker } = cluster
  const ownLogger = createLogger({ level: config.logLevel, format: config.logFormat, secrets: secretsOf(config) })
  const logger = worker === undefined ? ownLogger : ownLogger.child({ worker: worker.id })
  if (worker !== undefined) surviveLossOfPrimary(worker)
  const ownConfig = worker === undefined ? config : { ...config, databasePoolSize: poolShare(config) }
  await using context = await createContext(ownConfig, { logger })
  const app = await buildServer(context)
  const openRequests = countRequests(app)
  const address = await listen(app, config)
  // what there is to say once, the first process says
  if (worker === undefined) welcome(config, logger, address)
  if (worker === undefined || worker.id === 1) void logModels(context)
  // Node writes it at a normal exit only, and a server may be killed: its next start would compile everything again
  flushCompileCache()

  const signal = await stop.received
  await shutDown(app, context, openRequests, signal)
  logger.info('stopped')
}

/** By default a worker ends on the spot when its primary has died; here that counts as SIGTERM (`StopSignal`). */
function surviveLossOfPrimary(worker: Worker): void {
  worker.exitedAfterDisconnect = true
}

/** The first words of a server that listens. */
export function welcome(config: Config, logger: Logger, address: string): void {
  for (const warning of config.warnings) logger.warn(warning)
  if (isForPeople(config)) process.stdout.write(greeting(config, address))
}

async function listen(
  app: { listen(options: FastifyListenOptions): Promise<string> },
  { host, port }: Config,
): Promise<string> {
  try {
    return await app.listen({ host, port, listenTextResolver: (address) => `listening on ${address}` })
  } catch (error) {
    throw new ConfigError(explainListenError(error, host, port))
  }
}

function explainListenError(error: unknown, host: string, port: number): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE':
      return `Port ${port} on ${host} is in use, perhaps by another Perdure: stop that, or choose another with --port or PERDURE_PORT.`
    case 'EACCES':
      return `This user may not listen on port ${port}: choose one above 1023 with --port or PERDURE_PORT.`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${host} is no address of this machine: choose another with --host or PERDURE_HOST.`
    default:
      return `Cannot listen on ${host}:${port}: ${errorMessage(error)}`
  }
}

function isForPeople({ logFormat }: Config): boolean {
  return logFormat === 'pretty' || (logFormat === 'auto' && process.stdout.isTTY === true)
}

/** Asks the providers after the start, so that none of them can delay it. */
async function logModels({ config, models, logger }: Context): Promise<void> {
  try {
    const handles = (await models.listModels(null)).map((model) => model.handle)
    const rest = handles.length > MODELS_IN_LOG ? ` and ${handles.length - MODELS_IN_LOG} more` : ''
    logger.info({ count: handles.length }, `models: ${handles.slice(0, MODELS_IN_LOG).join(', ')}${rest}`)
    const { defaultModel } = config
    if (defaultModel !== undefined && !handles.includes(defaultModel)) {
      logger.warn(`the default model ${defaultModel} is not among them: is its provider's key or address set?`)
    }
  } catch (error) {
    logger.warn({ err: error }, 'the models could not be listed; GET /v1/models/ tries again')
  }
}
