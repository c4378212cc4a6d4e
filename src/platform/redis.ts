import { createClient, ErrorReply } from '@redis/client'
import { errorMessage } from './errors.ts'
import type { Logger } from './logger.ts'

const CONNECT_TIMEOUT_MS = 3000
/** An idle connection that brings nothing for this long is dead; the pings see to it that a live one brings something. */
const SILENCE_LIMIT_MS = 5000
const PING_MS = 2000
const FIRST_PAUSE_MS = 100
const LAST_PAUSE_MS = 2000
/** Answers of a server that is not, or not any more, the one to talk to: another connection may lead to the right one. */
const WRONG_SERVER = /^(READONLY|LOADING|MASTERDOWN|NOAUTH|NOREPLICAS|UNBLOCKED)/

/** Where a connection leads is up to nobody but its address: one server, or whatever stands before several. */
export type RedisClient = ReturnType<typeof newClient>

export interface RedisOptions {
  /** `redis://` or `rediss://`; see docs/degraded-modes.md for what it may lead to. */
  url: string
  /** Shown by `CLIENT LIST`. */
  name: string
  logger: Logger
}

/**
 * One connection to a Redis that may be gone, full, slow or another one at any moment. Nothing ever waits for it: without a
 * connection work is refused at once, and whoever has waited too long for an answer has shown that the connection is broken.
 * Then it is made again, after pauses that grow to two seconds. Never throws by itself.
 */
export class RedisConnection implements Disposable {
  readonly #options: RedisOptions
  #client: RedisClient | undefined
  #isUp = false
  #isClosed = false
  #hasWarned = false
  #pauseMs = FIRST_PAUSE_MS
  #timer: NodeJS.Timeout | undefined

  /** Begins to connect. */
  constructor(options: RedisOptions) {
    this.#options = options
    this.#connect()
  }

  get isUp(): boolean {
    return this.#isUp
  }

  /** Rejects at once where there is no connection, and else after the limit; then the connection is made again. */
  async run<Result>(limitMs: number, work: (client: RedisClient) => Promise<Result>): Promise<Result> {
    const client = this.#client
    if (client === undefined || !this.#isUp) throw new Error('Redis is away')
    const { promise: late, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => reject(new Error(`no answer within ${limitMs} ms`)), limitMs)
    try {
      const working = work(client)
      // after the limit nobody waits for it any more
      working.catch(() => {})
      return await Promise.race([working, late])
    } catch (error) {
      if (!(error instanceof ErrorReply) || WRONG_SERVER.test(error.message)) this.#drop(client, error)
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  [Symbol.dispose](): void {
    this.#isClosed = true
    this.#isUp = false
    clearTimeout(this.#timer)
    if (this.#client !== undefined) hangUp(this.#client)
  }

  #connect(): void {
    const client = newClient(this.#options)
    this.#client = client
    // the client's own limits do not hold for a server that accepts and then says nothing
    const timer = setTimeout(() => this.#drop(client, new Error('no connection in time')), CONNECT_TIMEOUT_MS)
    client.on('error', (error) => this.#drop(client, error))
    client.connect().then(
      () => {
        clearTimeout(timer)
        if (this.#client === client && !this.#isClosed) this.#rise()
      },
      (error: unknown) => {
        clearTimeout(timer)
        this.#drop(client, error)
      },
    )
  }

  #rise(): void {
    this.#isUp = true
    this.#pauseMs = FIRST_PAUSE_MS
    if (this.#hasWarned) this.#options.logger.info('Redis is back')
    this.#hasWarned = false
  }

  #drop(client: RedisClient, error: unknown): void {
    if (this.#client !== client || this.#isClosed) return
    this.#client = undefined
    this.#isUp = false
    hangUp(client)
    if (!this.#hasWarned) {
      this.#hasWarned = true
      this.#options.logger.warn({ error: errorMessage(error) }, 'Redis is away; the database does its work')
    }
    // not all replicas at the same moment
    this.#timer = setTimeout(() => this.#connect(), this.#pauseMs * (0.5 + Math.random() / 2)).unref()
    this.#pauseMs = Math.min(this.#pauseMs * 2, LAST_PAUSE_MS)
  }
}

function newClient({ url, name }: RedisOptions) {
  return createClient({
    url,
    name,
    socket: { connectTimeout: CONNECT_TIMEOUT_MS, socketTimeout: SILENCE_LIMIT_MS, reconnectStrategy: false },
    pingInterval: PING_MS,
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: 'disabled',
  })
}

/** A client that never got open, or is closed already, throws. */
function hangUp(client: RedisClient): void {
  try {
    client.destroy()
  } catch {
    // gone already
  }
}
