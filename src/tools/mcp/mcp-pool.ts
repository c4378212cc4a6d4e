import { addAbortListener } from 'node:events'
import type { CallToolResult } from '@modelcontextprotocol/client'
import { errorMessage } from '#platform/errors.ts'
import type { Logger } from '#platform/logger.ts'
import type { SecretBox } from '#platform/secret-box.ts'
import type { Queryable } from '#store/db.ts'
import { GuardedFetch, type GuardOptions } from './guarded-fetch.ts'
import { McpAuthorizer } from './mcp-authorizer.ts'
import type { ConnectionDeps, McpConnection, McpLimits, RemoteTool } from './mcp-connection.ts'
import { McpFailure } from './mcp-failure.ts'
import type { McpTarget } from './mcp-target.ts'
import type { ProgramPolicy } from './start-program.ts'

export interface McpPoolOptions {
  db: Queryable
  secrets: SecretBox
  logger: Logger
  limits: McpLimits & { idleTimeoutMs: number; maxConnections: number }
  guard: Omit<GuardOptions, 'connectTimeoutMs' | 'maxResponseBytes'>
  programs: ProgramPolicy
}

/** A connection that was silent for so long is asked whether it is still there before it is used. */
const CHECK_AFTER_MS = 60_000
const SWEEP_MS = 15_000
/** After a failed connection: one second, then twice as long each time, at most half a minute. */
const FIRST_BACK_OFF_MS = 1_000
const MAX_BACK_OFF_MS = 30_000
const MAX_FAILURES_KEPT = 1_000

interface Entry {
  target: McpTarget
  /** Gives up connecting. */
  ending: AbortController
  opening: Promise<McpConnection>
  connection: McpConnection | undefined
  users: number
  usedAtMs: number
  /** The health check under way. */
  checking: Promise<void> | undefined
  needsCheck: boolean
}

interface PastFailure {
  count: number
  untilMs: number
  failure: McpFailure
}

interface UseOptions {
  signal?: AbortSignal | undefined
  /** Connects although the server has just failed: a person asks. */
  isForced?: boolean
}

/**
 * The connections to MCP servers of one process: one for each server and its resolved secrets, made when it is first needed, shared by
 * all who use it, closed when nobody has for a while. Nothing in it may not be lost. Holds no database connection while it waits.
 */
export class McpPool implements AsyncDisposable {
  readonly authorizer: McpAuthorizer
  readonly #options: McpPoolOptions
  readonly #deps: ConnectionDeps
  readonly #fetcher: GuardedFetch
  /** In the order of use: the first was used longest ago. */
  readonly #entries = new Map<string, Entry>()
  readonly #failures = new Map<string, PastFailure>()
  readonly #closing = new Set<Promise<void>>()
  readonly #sweeper: NodeJS.Timeout
  #isDisposed = false

  constructor(options: McpPoolOptions) {
    this.#options = options
    const { connectTimeoutMs, maxResponseBytes } = options.limits
    this.#fetcher = new GuardedFetch({ ...options.guard, connectTimeoutMs, maxResponseBytes })
    this.authorizer = new McpAuthorizer({ db: options.db, secrets: options.secrets, fetcher: this.#fetcher })
    this.#deps = {
      fetcher: this.#fetcher,
      authorize: (target) => this.authorizer.providerFor(target),
      programs: options.programs,
      limits: options.limits,
    }
    this.#sweeper = setInterval(() => this.#sweep(), Math.min(SWEEP_MS, options.limits.idleTimeoutMs))
    this.#sweeper.unref()
  }

  /** Connections that are open or being opened. */
  get size(): number {
    return this.#entries.size
  }

  /** All tools of a server, of all pages. Throws McpFailure. */
  listTools(target: McpTarget, options: UseOptions = {}): Promise<RemoteTool[]> {
    const repeated = ['unreachable', 'interrupted']
    return this.#use(target, options, (connection) => connection.listTools(options.signal), repeated)
  }

  /** Calls a tool by the server's name for it; cancelled there too when the signal is aborted. Throws McpFailure. */
  callTool(
    target: McpTarget,
    call: { name: string; args: Record<string, unknown>; agentId: string | null },
    options: UseOptions = {},
  ): Promise<CallToolResult> {
    const { name, args, agentId } = call
    const { signal } = options
    return this.#use(target, options, (connection) => connection.callTool(name, args, { agentId, signal }))
  }

  /** Closes what is open to a server, because it was changed or deleted. Other replicas find out by themselves. */
  async forget(organizationId: string, serverId: string): Promise<void> {
    const prefix = `${organizationId} ${serverId} `
    this.authorizer.forget(organizationId, serverId)
    for (const key of this.#failures.keys()) if (key.startsWith(prefix)) this.#failures.delete(key)
    const entries = [...this.#entries].filter(([key]) => key.startsWith(prefix)).map(([, entry]) => entry)
    await Promise.all(entries.map((entry) => this.#drop(entry)))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true
    clearInterval(this.#sweeper)
    for (const entry of this.#entries.values()) void this.#drop(entry)
    await Promise.all(this.#closing)
    await this.#fetcher[Symbol.asyncDispose]()
  }

  /** Works on a connection; once more on a new one, where the server cannot have seen the first request. */
  async #use<Result>(
    target: McpTarget,
    options: UseOptions,
    work: (connection: McpConnection) => Promise<Result>,
    /** Failures after which it may be done again although the server can have seen it. */
    repeated: readonly string[] = [],
  ): Promise<Result> {
    for (let attempt = 0; ; attempt += 1) {
      const entry = this.#enter(target, options.isForced === true || attempt > 0)
      entry.users += 1
      try {
        return await work(await this.#healthy(entry, options.signal))
      } catch (error) {
        const failure = this.#noteFailure(entry, error)
        const isSafe = failure.isUnsent || failure.kind === 'session-lost' || repeated.includes(failure.kind)
        const hadConnection = entry.connection !== undefined
        if (!(isSafe && hadConnection && attempt === 0) || options.signal?.aborted) throw failure
      } finally {
        entry.users -= 1
        this.#touch(entry)
      }
    }
  }

  /** The entry of a server, made where there is none: never two connections are opened for one key. */
  #enter(target: McpTarget, isForced: boolean): Entry {
    if (this.#isDisposed) throw busy(target, 'this server is shutting down')
    const known = this.#entries.get(target.key)
    if (known !== undefined && known.connection?.isOpen !== false) return known
    if (known !== undefined) void this.#drop(known)
    const past = this.#failures.get(target.key)
    if (past !== undefined && !isForced && Date.now() < past.untilMs) throw backingOff(past)
    this.#makeRoom(target)
    const ending = new AbortController()
    const opening = openConnection(target, this.#deps, ending.signal)
    const entry: Entry = {
      target,
      ending,
      opening,
      connection: undefined,
      users: 0,
      usedAtMs: Date.now(),
      checking: undefined,
      needsCheck: false,
    }
    this.#entries.set(target.key, entry)
    opening.then(
      (connection) => {
        entry.connection = connection
        this.#failures.delete(target.key)
      },
      (error) => {
        this.#remove(entry)
        this.#backOff(target, error)
      },
    )
    return entry
  }

  /** The open connection, found to be alive where it was silent for long. */
  async #healthy(entry: Entry, signal: AbortSignal | undefined): Promise<McpConnection> {
    const connection = await unlessAborted(entry.opening, signal, entry.target)
    const isSilent = Date.now() - entry.usedAtMs > CHECK_AFTER_MS
    if (entry.checking === undefined && entry.users === 1 && (isSilent || entry.needsCheck)) {
      entry.checking = connection.ping().finally(() => {
        entry.checking = undefined
        entry.needsCheck = false
      })
    }
    if (entry.checking === undefined) return connection
    await entry.checking.catch((error) => {
      // the request of the caller was not sent
      throw new McpFailure('unreachable', errorMessage(error), { isUnsent: true })
    })
    return connection
  }

  /** What broke a connection is not used again; what may be slow is looked at before it is. */
  #noteFailure(entry: Entry, error: unknown): McpFailure {
    if (!(error instanceof McpFailure)) throw error
    if (error.kind === 'time-out') entry.needsCheck = true
    const breaks = ['unreachable', 'interrupted', 'session-lost', 'refused', 'authorization', 'too-large', 'forbidden']
    if (breaks.includes(error.kind) || entry.connection?.isOpen === false) void this.#drop(entry)
    return error
  }

  #backOff(target: McpTarget, error: unknown): void {
    if (!(error instanceof McpFailure) || error.kind === 'cancelled') return
    const count = (this.#failures.get(target.key)?.count ?? 0) + 1
    const pauseMs = Math.min(FIRST_BACK_OFF_MS * 2 ** (count - 1), MAX_BACK_OFF_MS)
    this.#failures.delete(target.key)
    this.#failures.set(target.key, { count, untilMs: Date.now() + pauseMs, failure: error })
    const oldest = this.#failures.keys().next()
    if (this.#failures.size > MAX_FAILURES_KEPT && !oldest.done) this.#failures.delete(oldest.value)
    const { organizationId, serverId } = target
    this.#options.logger.warn(
      { organization_id: organizationId, mcp_server_id: serverId, reason: error.kind, error: error.message },
      'an MCP server could not be connected to',
    )
  }

  /** Closes the connection that nobody has used for longest, where there are too many. */
  #makeRoom(target: McpTarget): void {
    if (this.#entries.size < this.#options.limits.maxConnections) return
    const idle = [...this.#entries.values()].find((entry) => entry.users === 0)
    if (idle === undefined) {
      throw busy(target, 'too many MCP servers are in use at once (PERDURE_MCP_MAX_CONNECTIONS). Try again later')
    }
    void this.#drop(idle)
  }

  #touch(entry: Entry): void {
    entry.usedAtMs = Date.now()
    if (this.#entries.get(entry.target.key) !== entry) return
    this.#entries.delete(entry.target.key)
    this.#entries.set(entry.target.key, entry)
  }

  #sweep(): void {
    const sinceMs = Date.now() - this.#options.limits.idleTimeoutMs
    for (const entry of this.#entries.values()) {
      const isDead = entry.connection?.isOpen === false
      if (isDead || (entry.users === 0 && entry.usedAtMs <= sinceMs)) void this.#drop(entry)
    }
  }

  #remove(entry: Entry): void {
    if (this.#entries.get(entry.target.key) === entry) this.#entries.delete(entry.target.key)
  }

  #drop(entry: Entry): Promise<void> {
    this.#remove(entry)
    entry.ending.abort()
    const closing = entry.opening
      .then(
        (connection) => connection[Symbol.asyncDispose](),
        () => {},
      )
      .catch((error) => this.#options.logger.warn({ error: errorMessage(error) }, 'an MCP connection was not closed'))
    this.#closing.add(closing)
    return closing.finally(() => this.#closing.delete(closing))
  }
}

/** The client library is not small, and most servers never need it. */
async function openConnection(target: McpTarget, deps: ConnectionDeps, signal: AbortSignal): Promise<McpConnection> {
  const { McpConnection } = await import('./mcp-connection.ts')
  return McpConnection.open(target, deps, signal)
}

function backingOff({ failure, untilMs }: PastFailure): McpFailure {
  const seconds = Math.max(1, Math.ceil((untilMs - Date.now()) / 1_000))
  return new McpFailure('backing-off', `${failure.message} It is not asked again for ${seconds} s.`, { isUnsent: true })
}

const busy = ({ serverName }: McpTarget, reason: string): McpFailure =>
  new McpFailure('busy', `MCP server '${serverName}' was not asked: ${reason}.`, { isUnsent: true })

/** Others may wait for the same: it goes on when this one gives up. */
async function unlessAborted<Result>(
  work: Promise<Result>,
  signal: AbortSignal | undefined,
  target: McpTarget,
): Promise<Result> {
  if (signal === undefined) return work
  const aborted = Promise.withResolvers<never>()
  aborted.promise.catch(() => {})
  const give = () =>
    aborted.reject(
      new McpFailure('cancelled', `MCP server '${target.serverName}' was not asked: the request was cancelled.`),
    )
  if (signal.aborted) give()
  const listener = addAbortListener(signal, give)
  try {
    return await Promise.race([work, aborted.promise])
  } finally {
    listener[Symbol.dispose]()
  }
}
