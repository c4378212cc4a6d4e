import { addAbortListener } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type AuthProvider,
  type CallToolResult,
  Client,
  type JsonSchemaValidator,
  type RequestOptions,
  SdkError,
  SdkErrorCode,
  SSEClientTransport,
  SseError,
  StreamableHTTPClientTransport,
  type Tool,
  type Transport,
} from '@modelcontextprotocol/client'
import { VERSION } from '#platform/version.ts'
import { explainFailure, type FailedWork, StreamCut } from './explain-failure.ts'
import type { GuardedFetch } from './guarded-fetch.ts'
import { currentExchange, type McpExchange } from './mcp-exchange.ts'
import { McpFailure } from './mcp-failure.ts'
import type { McpTarget } from './mcp-target.ts'
import { type ProgramPolicy, prepareProgram } from './start-program.ts'
import { StdioTransport } from './stdio-transport.ts'

/** A tool as its server tells it. */
export type RemoteTool = Tool

export interface McpLimits {
  connectTimeoutMs: number
  /** For all pages. */
  listTimeoutMs: number
  callTimeoutMs: number
  maxResponseBytes: number
}

export interface ConnectionDeps {
  fetcher: GuardedFetch
  /** Undefined for servers that are not authorized by OAuth. */
  authorize: (target: McpTarget) => AuthProvider | undefined
  programs: ProgramPolicy
  limits: McpLimits
}

/** Pages of a list of tools, and tools on them; a server that goes on beyond is not believed. */
const MAX_PAGES = 100
const MAX_TOOLS = 2_000
/** After a stream has ended the library works on what came; then an answer that is not there will not come. */
const SETTLE_MS = 500
/** A stream whose events have ids is asked for again by the library, twice, after one and one and a half seconds. */
const RESUME_MS = 10_000
const PING_MS = 5_000
const GOODBYE_MS = 1_000

interface Opened {
  client: Client
  stdio: StdioTransport | undefined
  dispose: () => Promise<void>
}

/** One connection to one server. Many calls can be under way on it. */
export class McpConnection implements AsyncDisposable {
  readonly target: McpTarget
  readonly #deps: ConnectionDeps
  #opened: Opened | undefined
  #lost: Error | undefined
  #isClosed = false

  private constructor(target: McpTarget, deps: ConnectionDeps) {
    this.target = target
    this.#deps = deps
  }

  /** Connects and shakes hands. Throws McpFailure. */
  static async open(target: McpTarget, deps: ConnectionDeps, signal: AbortSignal): Promise<McpConnection> {
    const connection = new McpConnection(target, deps)
    try {
      const connect = (options: RequestOptions) => connection.#connect(options)
      await connection.#perform('connecting', deps.limits.connectTimeoutMs, connect, { signal })
      return connection
    } catch (error) {
      await connection[Symbol.asyncDispose]()
      throw error
    }
  }

  /** False once it is closed, by either side: it cannot be used again. */
  get isOpen(): boolean {
    return !this.#isClosed && this.#lost === undefined && this.#opened?.stdio?.end === undefined
  }

  get pid(): number | undefined {
    return this.#opened?.stdio?.pid
  }

  /** All tools, of all pages. Throws McpFailure. */
  async listTools(signal?: AbortSignal): Promise<RemoteTool[]> {
    const { listTimeoutMs } = this.#deps.limits
    const deadline = Date.now() + listTimeoutMs
    const tools: RemoteTool[] = []
    const seen = new Set<string>()
    let cursor: string | undefined
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const params = cursor === undefined ? {} : { cursor }
      const leftMs = Math.max(deadline - Date.now(), 1)
      const answer = await this.#perform(
        'listing',
        leftMs,
        (options) => this.#client.request({ method: 'tools/list', params }, options),
        { signal, shownTimeoutMs: listTimeoutMs },
      )
      tools.push(...answer.tools)
      cursor = answer.nextCursor
      if (cursor === undefined) return tools
      if (seen.has(cursor)) throw this.#endless('tells the same page of its tools again and again')
      if (tools.length > MAX_TOOLS) throw this.#endless(`has more than ${MAX_TOOLS} tools`)
      seen.add(cursor)
    }
    throw this.#endless(`has more than ${MAX_PAGES} pages of tools`)
  }

  /** Calls a tool by the server's name for it. When the signal is aborted the server is told so. Throws McpFailure. */
  callTool(
    name: string,
    args: Record<string, unknown>,
    { agentId, signal }: { agentId: string | null; signal: AbortSignal | undefined },
  ): Promise<CallToolResult> {
    const headers: Record<string, string> = agentId === null ? {} : { 'X-Agent-Id': agentId }
    return this.#perform(
      'calling',
      this.#deps.limits.callTimeoutMs,
      (options) => this.#client.callTool({ name, arguments: args }, options),
      { signal, headers },
    )
  }

  /** Throws McpFailure where the server does not answer. In the newest protocol there is no connection to be looked after. */
  async ping(): Promise<void> {
    if (this.#client.getProtocolEra() === 'modern') return
    await this.#perform('pinging', PING_MS, (options) => this.#client.ping(options))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#opened?.dispose()
  }

  get #client(): Client {
    if (this.#opened === undefined) throw new Error('not connected')
    return this.#opened.client
  }

  async #connect(options: RequestOptions): Promise<void> {
    if (this.target.endpoint.type !== 'streamable_http') return this.#shakeHands('legacy', options)
    try {
      await this.#shakeHands('auto', options)
    } catch (error) {
      // some old servers answer what they do not know with a fault of their own
      if (!(error instanceof SdkError && error.code === SdkErrorCode.EraNegotiationFailed)) throw error
      await this.#opened?.dispose()
      await this.#shakeHands('legacy', options)
    }
  }

  async #shakeHands(mode: 'auto' | 'legacy', options: RequestOptions): Promise<void> {
    const client = new Client(
      { name: 'perdure', version: VERSION },
      { versionNegotiation: { mode }, jsonSchemaValidator: ACCEPTS_ALL },
    )
    client.onerror = () => {}
    const { transport, stdio, dispose } = await this.#makeTransport()
    this.#opened = {
      client,
      stdio,
      dispose: async () => {
        if (this.#lost === undefined) await endSession(transport)
        await client.close().catch(() => {})
        await transport.close().catch(() => {})
        await dispose?.()
      },
    }
    client.onclose = () => this.#lose(new Error('the connection was closed'))
    if (this.#isClosed) return this.#opened.dispose()
    await client.connect(transport, options)
  }

  async #makeTransport(): Promise<{ transport: Transport; stdio?: StdioTransport; dispose?: () => Promise<void> }> {
    const { endpoint } = this.target
    const { fetcher, limits, programs } = this.#deps
    if (endpoint.type === 'stdio') {
      const prepared = await prepareProgram(endpoint, programs)
      const stdio = new StdioTransport(prepared.program, limits.maxResponseBytes)
      return { transport: stdio, stdio, dispose: async () => prepared[Symbol.asyncDispose]() }
    }
    const authProvider = this.#deps.authorize(this.target)
    const common = {
      requestInit: { headers: { 'User-Agent': `perdure/${VERSION}`, ...endpoint.headers } },
      ...(authProvider !== undefined && { authProvider }),
    }
    if (endpoint.type === 'streamable_http') {
      const fetch = fetcher.for({ refusesUnaskedStream: true })
      return { transport: new StreamableHTTPClientTransport(endpoint.url, { ...common, fetch }) }
    }
    const fetch = fetcher.for()
    const streamFetch = fetcher.for({ onLost: (error) => this.#lose(error) })
    return {
      transport: new SSEClientTransport(endpoint.url, { ...common, fetch, eventSourceInit: { fetch: streamFetch } }),
    }
  }

  /** Nothing more comes on this connection: what waits for an answer is told so. */
  #lose(error: Error): void {
    if (this.#lost !== undefined) return
    this.#lost = error
    if (!this.#isClosed) void this[Symbol.asyncDispose]()
  }

  /**
   * One request with everything that can end it: its answer, its time-out, its signal, and what the HTTP below it finds out.
   * Throws McpFailure.
   */
  async #perform<Result>(
    doing: FailedWork['doing'],
    timeoutMs: number,
    work: (options: RequestOptions) => Promise<Result>,
    options: { signal?: AbortSignal | undefined; headers?: Record<string, string>; shownTimeoutMs?: number } = {},
  ): Promise<Result> {
    const { signal, headers = {} } = options
    const ending = new AbortController()
    const fault = Promise.withResolvers<never>()
    fault.promise.catch(() => {})
    let settling: NodeJS.Timeout | undefined
    let httpFault: unknown
    const exchange: McpExchange = {
      headers,
      began: () => clearTimeout(settling),
      faulted: (error) => {
        httpFault = error
      },
      fail: (error) => fault.reject(error),
      streamEnded: (mayResume) => {
        clearTimeout(settling)
        settling = setTimeout(
          () => fault.reject(new StreamCut('the connection was cut before the answer came')),
          mayResume ? RESUME_MS : SETTLE_MS,
        )
      },
    }
    // the library's own time-out does not cover everything that it waits for
    const late = setTimeout(() => fault.reject(new DOMException('too late', 'TimeoutError')), timeoutMs)
    const listener = signal === undefined ? undefined : addAbortListener(signal, () => fault.reject(signal.reason))
    try {
      const request = { signal: ending.signal, timeout: timeoutMs + 1_000 }
      return await currentExchange.run(exchange, () => Promise.race([work(request), fault.promise]))
    } catch (error) {
      // tells the server to stop, where it is working on it
      ending.abort('cancelled by the client')
      throw explainFailure(this.#causeOf(error, httpFault), this.target, {
        doing,
        timeoutMs: options.shownTimeoutMs ?? timeoutMs,
        isCancelled: signal?.aborted ?? false,
        lastWords: this.#lastWords(),
        hadSession: this.#opened !== undefined && doing !== 'connecting',
      })
    } finally {
      clearTimeout(late)
      clearTimeout(settling)
      listener?.[Symbol.dispose]()
    }
  }

  /** A closed connection is the consequence, and streams of events tell little; why they failed says more. */
  #causeOf(error: unknown, httpFault: unknown): unknown {
    if (error instanceof SseError && error.code === undefined && httpFault !== undefined) return httpFault
    const isClosed = error instanceof SdkError && error.code === SdkErrorCode.ConnectionClosed
    return isClosed && this.#lost !== undefined ? new StreamCut(this.#lost.message, { cause: this.#lost }) : error
  }

  /** How a program ended and what it wrote to stderr last; undefined while it runs, and for other servers. */
  #lastWords(): string | undefined {
    const stdio = this.#opened?.stdio
    if (stdio?.end === undefined) return undefined
    return [stdio.end, stdio.stderr].filter((text) => text !== '').join('; its last words: ')
  }

  #endless(what: string): McpFailure {
    return new McpFailure('protocol', `MCP server '${this.target.serverName}' ${what}; its tools were not taken over.`)
  }
}

/** Tells a server with sessions that this one is over; one that does not answer forgets it by itself. */
async function endSession(transport: Transport): Promise<void> {
  if (!(transport instanceof StreamableHTTPClientTransport)) return
  await Promise.race([transport.terminateSession().catch(() => {}), sleep(GOODBYE_MS, undefined, { ref: false })])
}

/** Schemas of results are not compiled: patterns that a stranger wrote could hold up this process. */
const ACCEPTS_ALL = {
  getValidator<Value>(): JsonSchemaValidator<Value> {
    return (input) => ({ valid: true, data: input as Value, errorMessage: undefined })
  },
}
