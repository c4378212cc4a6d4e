import { Agent, type Dispatcher } from 'undici'
import { ForbiddenAddress, guardedLookup, type Resolve } from '#platform/guarded-lookup.ts'
import { isPublicAddress } from '#platform/public-address.ts'
import { findPrivatePart } from '#platform/public-url.ts'

/** Anything with the shape of `fetch` that the AI SDK needs: a URL and a request in, a Response out. */
export type ModelFetch = typeof globalThis.fetch

export interface ModelFetchOptions {
  /** Time (ms) from the request to the first byte of the body. */
  firstByteTimeoutMs: number
  /** Longest silence (ms) between two pieces of the body. */
  idleTimeoutMs: number
  /** Only addresses on the public internet are connected to: for providers that a client has named. */
  isPublicOnly?: boolean
  /** Instead of the system's resolver, where only public addresses are connected to. */
  resolve?: Resolve
}

/** A provider that was silent for too long; `firstByte` before the answer began, `idle` in the middle of it. */
export class ModelTimeout extends Error {
  readonly phase: 'firstByte' | 'idle'
  readonly timeoutMs: number

  constructor(phase: ModelTimeout['phase'], timeoutMs: number) {
    const what = phase === 'firstByte' ? 'did not begin its answer' : 'fell silent in the middle of its answer'
    super(`${what} for ${timeoutMs / 1000} s`)
    this.name = 'ModelTimeout'
    this.phase = phase
    this.timeoutMs = timeoutMs
  }
}

const CONNECT_TIMEOUT_MS = 10_000
/** Longer than the pause between the steps of a turn, shorter than what servers and load balancers commonly keep. */
const KEEP_ALIVE_MS = 15_000
/** Pieces of a body that wait for a slow reader before the socket is paused. */
const BUFFERED_CHUNKS = 64

/** One pool of connections for all providers; sockets are unreferenced while idle, so it needs no close. */
const newAgent = (connect: NonNullable<Agent.Options['connect']>): Agent =>
  new Agent({ connect, keepAliveTimeout: KEEP_ALIVE_MS, headersTimeout: 0, bodyTimeout: 0 })

const agent = newAgent({ timeout: CONNECT_TIMEOUT_MS })

const refusal = (address: string): string =>
  `${address} is not a public address, and providers of clients at others are not allowed (PERDURE_PROVIDER_ADDRESSES)`

/** The same for addresses that clients have named: a pool of its own, made when one is first asked. */
let publicAgent: Agent | undefined

const newPublicAgent = (resolve?: Resolve): Agent =>
  newAgent({
    timeout: CONNECT_TIMEOUT_MS,
    lookup: guardedLookup({ isAllowed: isPublicAddress, refusal, resolve }),
  })

/** Throws ForbiddenAddress for what leads to nobody else on the internet. */
function checkPublic(url: URL): void {
  // an address that is written out is connected to without a look-up
  const problem = /^https?:$/.test(url.protocol) ? findPrivatePart(url) : 'a provider is at http or https'
  if (problem !== undefined) throw new ForbiddenAddress(`${problem} (PERDURE_PROVIDER_ADDRESSES)`)
}

/**
 * A `fetch` for model calls that goes to undici's dispatcher directly: no Request, no Headers, no Node stream in between,
 * because the built-in `fetch` costs more CPU per call than everything else in this layer. Every byte counts as a sign of
 * life, also the comments and pings that gateways send while a model thinks. It does not follow redirects.
 */
export function createModelFetch(options: ModelFetchOptions): ModelFetch {
  const { firstByteTimeoutMs, idleTimeoutMs, isPublicOnly = false, resolve: resolveName } = options
  const ownAgent = resolveName === undefined ? undefined : newPublicAgent(resolveName)
  const findAgent = (): Agent => {
    if (!isPublicOnly) return agent
    publicAgent ??= newPublicAgent()
    return ownAgent ?? publicAgent
  }
  return (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input)
    const signal = init.signal ?? undefined
    return new Promise<Response>((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason)
        return
      }
      if (isPublicOnly) checkPublic(url)
      const pool = findAgent()
      const exchange = new Exchange({ resolve, reject, signal, firstByteTimeoutMs, idleTimeoutMs })
      pool.dispatch(
        {
          origin: url.origin,
          path: url.pathname + url.search,
          method: (init.method ?? 'GET') as Dispatcher.HttpMethod,
          headers: (init.headers ?? {}) as Record<string, string>,
          body: typeof init.body === 'string' ? init.body : null,
        },
        exchange,
      )
    })
  }
}

interface ExchangeOptions extends Pick<ModelFetchOptions, 'firstByteTimeoutMs' | 'idleTimeoutMs'> {
  resolve: (response: Response) => void
  reject: (reason: unknown) => void
  signal: AbortSignal | undefined
}

/** One request and its answer. Ends exactly once: at the end of the body, with an error, a time-out or an abort. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #options: ExchangeOptions
  readonly #onAbort: () => void
  readonly #timer: NodeJS.Timeout
  #idleTimer: NodeJS.Timeout | undefined
  #socket: Dispatcher.DispatchController | undefined
  #hasBegun = false
  /** Pieces of the body that nobody has read yet. */
  #chunks: Uint8Array[] = []
  #failure: { reason: unknown } | undefined
  /** Lets whoever waits for the next piece look again. */
  #wake: () => void = () => {}
  #ended = false

  constructor(options: ExchangeOptions) {
    this.#options = options
    this.#onAbort = () => this.#fail(options.signal?.reason)
    options.signal?.addEventListener('abort', this.#onAbort, { once: true })
    this.#timer = setTimeout(
      () => this.#fail(new ModelTimeout('firstByte', options.firstByteTimeoutMs)),
      options.firstByteTimeoutMs,
    )
  }

  onRequestStart(socket: Dispatcher.DispatchController): void {
    this.#socket = socket
    if (this.#ended) socket.abort(new Error('the request was given up'))
  }

  onResponseStart(
    _socket: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
    statusText?: string,
  ): void {
    if (status < 200) return
    this.#hasBegun = true
    const body = new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const chunks = await this.read()
          if (chunks === undefined) controller.close()
          else for (const chunk of chunks) controller.enqueue(chunk)
        },
        cancel: (reason) => this.#fail(reason),
      },
      { highWaterMark: 0 },
    )
    const isBodiless = status === 204 || status === 205 || status === 304
    const init = { status, statusText: statusText ?? '', headers: flatten(headers) }
    const response = new Response(isBodiless ? null : body, init)
    exchanges.set(response, this)
    this.#options.resolve(response)
  }

  /** What has come since the last time, at least one piece; undefined at the end. Throws what ended it before. */
  async read(): Promise<Uint8Array[] | undefined> {
    while (this.#chunks.length === 0) {
      if (this.#failure !== undefined) throw this.#failure.reason
      if (this.#ended) return undefined
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const chunks = this.#chunks
    this.#chunks = []
    if (this.#socket?.paused) this.#socket.resume()
    return chunks
  }

  cancel(): void {
    this.#fail(new Error('the request was given up'))
  }

  onResponseData(socket: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#ended || !this.#hasBegun) return
    if (this.#idleTimer === undefined) {
      clearTimeout(this.#timer)
      const { idleTimeoutMs } = this.#options
      this.#idleTimer = setTimeout(() => this.#fail(new ModelTimeout('idle', idleTimeoutMs)), idleTimeoutMs)
    } else this.#idleTimer.refresh()
    this.#chunks.push(chunk)
    if (this.#chunks.length >= BUFFERED_CHUNKS) socket.pause()
    this.#wake()
  }

  onResponseEnd(): void {
    if (this.#settle()) this.#wake()
  }

  onResponseError(_socket: Dispatcher.DispatchController, error: Error): void {
    this.#fail(error)
  }

  #settle(): boolean {
    if (this.#ended) return false
    this.#ended = true
    clearTimeout(this.#timer)
    clearTimeout(this.#idleTimer)
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    return true
  }

  #fail(reason: unknown): void {
    if (!this.#settle()) return
    this.#failure = { reason }
    this.#options.reject(reason)
    this.#wake()
    this.#socket?.abort(reason instanceof Error ? reason : new Error('the request was given up'))
  }
}

/** The exchanges behind the responses of `createModelFetch`. */
const exchanges = new WeakMap<Response, Exchange>()

export interface BodyReader {
  /** What has come since the last time, at least one piece; undefined at the end. */
  read(): Promise<Uint8Array[] | undefined>
  /** Ends the request where nobody wants the rest. */
  cancel(): void
}

/** The body of a response, read in place of its stream: that costs several promises a piece. */
export function readBody(response: Response): BodyReader {
  const exchange = exchanges.get(response)
  if (exchange !== undefined) return exchange
  const reader = response.body?.getReader()
  return {
    async read() {
      const next = await reader?.read()
      return next === undefined || next.done ? undefined : [next.value]
    },
    cancel: () => void reader?.cancel().catch(() => {}),
  }
}

function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const flat: Record<string, string> = {}
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return flat
}
