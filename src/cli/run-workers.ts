import cluster, { type Address, type Worker } from 'node:cluster'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Config, secretsOf } from '#config/config.ts'
import { ConfigError } from '#config/config-error.ts'
import { prepareDatabase } from '#context.ts'
import { DomainError } from '#platform/errors.ts'
import { createLogger, type Logger } from '#platform/logger.ts'
import { openDatabase } from '#store/open-database.ts'
import { RestartPolicy } from './restart-policy.ts'
import { welcome } from './run-server.ts'
import { StopSignal } from './stop-signal.ts'
import { poolShare, workerCount } from './worker-count.ts'

/** What a worker needs beyond its grace period before it is ended by force. */
const KILL_AFTER_GRACE_MS = 3000

interface Death {
  worker: Worker
  code: number | null
  signal: string | null
}

/**
 * Keeps as many servers as `PERDURE_WORKERS` says behind one port, each a process of its own with its share of the database
 * connections, and returns when a signal has stopped them all. This process only accepts connections and hands them round;
 * when it dies, its workers stop as at a SIGTERM. Throws where no worker can be started.
 */
export async function runWorkers(config: Config): Promise<void> {
  using stop = new StopSignal()
  const logger = createLogger({ level: config.logLevel, format: config.logFormat, secrets: secretsOf(config) })
  await prepare(config, logger)
  const count = workerCount(config)
  const crew = new Crew(logger)
  const address = await crew.startFirst(stop.received)
  if (address !== undefined) {
    for (let started = 1; started < count; started += 1) crew.start()
    logger.info(`${count} workers, up to ${poolShare(config)} database connections each`)
    welcome(config, logger, urlOf(address))
  }
  let signal: NodeJS.Signals = 'SIGTERM'
  try {
    signal = await Promise.race([stop.received, crew.failed])
  } finally {
    await crew.stop(signal, config.shutdownGraceMs + KILL_AFTER_GRACE_MS)
  }
  logger.info('stopped')
}

/** Once for all workers: their own look then finds nothing to do. */
async function prepare({ databaseUrl = '' }: Config, logger: Logger): Promise<void> {
  await using db = await openDatabase({ kind: 'postgres', url: databaseUrl, poolSize: 2 })
  await prepareDatabase(db, logger)
}

const urlOf = ({ address, port, addressType }: Address): string =>
  `http://${addressType === 6 ? `[${address}]` : address}:${port}`

/** The workers that live, and the replacement of those that die. */
class Crew {
  readonly #logger: Logger
  readonly #policy = new RestartPolicy()
  readonly #startedAt = new Map<number, number>()
  readonly #listening = new Set<number>()
  readonly #failure = Promise.withResolvers<never>()
  #isStopping = false

  constructor(logger: Logger) {
    this.#logger = logger
    // heard by whoever waits for `failed`, or by nobody once the end has begun
    this.#failure.promise.catch(() => {})
    cluster.on('listening', ({ id, process: { pid } }) => {
      this.#listening.add(id)
      logger.info({ worker: id, pid }, 'a worker listens')
    })
  }

  /** Rejects when workers die again and again before they serve. */
  get failed(): Promise<never> {
    return this.#failure.promise
  }

  /** One alone at first, so that a fault of the configuration is told once. Undefined where a signal came meanwhile. */
  async startFirst(stopped: Promise<unknown>): Promise<Address | undefined> {
    const first = this.#fork()
    const listening = once(first, 'listening').then(([address]) => address as Address)
    const ended = once(first, 'exit').then(([code, signal]) => ({ code, signal }))
    const outcome = await Promise.race([listening, ended, stopped.then(() => undefined)])
    if (outcome !== undefined && 'signal' in outcome) {
      const message = `The first worker ended before it listened (${describeEnd(outcome)}). What it said stands above.`
      throw outcome.code === 2 ? new ConfigError(message) : new DomainError('unavailable', message)
    }
    this.#watch(first)
    return outcome
  }

  start(): void {
    if (!this.#isStopping) this.#watch(this.#fork())
  }

  /** Passes the signal on and returns when all have ended. */
  async stop(signal: NodeJS.Signals, limitMs: number): Promise<void> {
    this.#isStopping = true
    const living = Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined)
    const ended = Promise.all(
      living.filter((worker) => !worker.isDead()).map((worker) => once(worker.process, 'exit')),
    ).then(() => true)
    for (const worker of living) worker.process.kill(signal)
    if (await Promise.race([ended, sleep(limitMs, false, { ref: false })])) return
    this.#logger.warn(`workers still there after ${limitMs / 1000} s are killed; others take their runs over`)
    for (const worker of living) worker.process.kill('SIGKILL')
    await ended
  }

  #fork(): Worker {
    const worker = cluster.fork()
    this.#startedAt.set(worker.id, performance.now())
    return worker
  }

  #watch(worker: Worker): void {
    worker.once('exit', (code: number | null, signal: string | null) => this.#replace({ worker, code, signal }))
  }

  #replace({ worker, code, signal }: Death): void {
    const livedMs = performance.now() - (this.#startedAt.get(worker.id) ?? 0)
    const hasListened = this.#listening.delete(worker.id)
    this.#startedAt.delete(worker.id)
    if (this.#isStopping) return
    const end = describeEnd({ code, signal })
    const pauseMs = this.#policy.next({ livedMs, hasListened, othersListening: this.#listening.size })
    const fields = { worker: worker.id, pid: worker.process.pid }
    if (pauseMs === 'give-up') {
      const message = `The workers end again and again before they listen, the last one with ${end}. What they said stands above.`
      this.#failure.reject(new DomainError('unavailable', message))
      return
    }
    this.#logger.error(
      fields,
      `a worker ended (${end}); another one starts ${pauseMs === 0 ? 'at once' : `in ${pauseMs / 1000} s`}`,
    )
    setTimeout(() => this.start(), pauseMs)
  }
}

const describeEnd = ({ code, signal }: Pick<Death, 'code' | 'signal'>): string =>
  signal === null ? `exit code ${code}` : signal
