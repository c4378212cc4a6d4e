import { Agent, type Dispatcher, request } from 'undici'
import { errorMessage } from '#platform/errors.ts'
import { findForbiddenAddress, guardedLookup, type Resolve } from '#platform/guarded-lookup.ts'
import { isPublicAddress } from '#platform/public-address.ts'
import { findPrivatePart } from '#platform/public-url.ts'

/** Of an answer's body only so much is read, and thrown away: it keeps the connection usable. */
const MAX_ANSWER_BYTES = 16 * 1024
const MAX_HEADER_BYTES = 16 * 1024

export interface CallbackPosterOptions {
  /** For a whole exchange, from the look-up of the name to the end of the answer. */
  timeoutMs: number
  /** False refuses addresses that are not on the public internet. */
  allowsPrivate: boolean
  version: string
  /** Instead of the system's resolver. */
  resolve?: Resolve
}

/** What came back, or why nothing did. */
export type CallbackAnswer =
  | { kind: 'answered'; statusCode: number; retryAfterMs: number }
  | { kind: 'failed'; error: string }
  /** It must not be sent there; trying again does not help. */
  | { kind: 'refused'; error: string }

/**
 * Posts to addresses that clients have chosen, so it must not become their way into the server's own network: the address is
 * checked when the connection is made, and it is the checked one that is connected to, whatever the name means a moment later.
 * Redirects are not followed.
 */
export class CallbackPoster implements AsyncDisposable {
  readonly #options: CallbackPosterOptions
  readonly #agent: Agent

  constructor(options: CallbackPosterOptions) {
    this.#options = options
    const lookup = guardedLookup({
      isAllowed: (address) => this.#isAllowed(address),
      refusal,
      resolve: options.resolve,
    })
    this.#agent = new Agent({
      connect: { timeout: options.timeoutMs, lookup },
      maxHeaderSize: MAX_HEADER_BYTES,
      pipelining: 1,
      keepAliveTimeout: 4_000,
    })
  }

  async post(address: string, body: string, headers: Record<string, string>): Promise<CallbackAnswer> {
    const url = URL.parse(address)
    if (url === null || !/^https?:$/.test(url.protocol)) return { kind: 'refused', error: 'not an http or https URL' }
    // an address that is written out is connected to without a look-up
    const problem = this.#options.allowsPrivate ? undefined : findPrivatePart(url)
    if (problem !== undefined) return { kind: 'refused', error: `${problem} (PERDURE_WEBHOOK_ADDRESSES)` }
    try {
      const response = await request(url, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json', 'user-agent': `perdure/${this.#options.version}`, ...headers },
        dispatcher: this.#agent,
        signal: AbortSignal.timeout(this.#options.timeoutMs),
      })
      await discard(response)
      const retryAfterMs = retryAfterOf(response.headers['retry-after'])
      return { kind: 'answered', statusCode: response.statusCode, retryAfterMs }
    } catch (error) {
      const forbidden = findForbiddenAddress(error)
      if (forbidden !== undefined) return { kind: 'refused', error: forbidden.message }
      const isTimeout = error instanceof Error && error.name === 'TimeoutError'
      return { kind: 'failed', error: isTimeout ? `no answer in ${this.#options.timeoutMs} ms` : errorMessage(error) }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy()
  }

  #isAllowed(address: string): boolean {
    return this.#options.allowsPrivate || isPublicAddress(address)
  }
}

const refusal = (address: string): string =>
  `${address} is not a public address, and callbacks to others are not allowed (PERDURE_WEBHOOK_ADDRESSES)`

async function discard({ body }: Dispatcher.ResponseData): Promise<void> {
  await body.dump({ limit: MAX_ANSWER_BYTES }).catch(() => {})
}

/** Of `Retry-After` in seconds; dates are not understood. */
function retryAfterOf(header: string | string[] | undefined): number {
  const seconds = Number(typeof header === 'string' ? header : Number.NaN)
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0
}
