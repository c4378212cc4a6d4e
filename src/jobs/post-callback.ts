import { lookup } from 'node:dns/promises'
import type { LookupFunction } from 'node:net'
import { Agent, type Dispatcher, request } from 'undici'
import { errorMessage } from '#platform/errors.ts'
import { addressOfHost, isPublicAddress } from '#platform/public-address.ts'

/** Of an answer's body only so much is read, and thrown away: it keeps the connection usable. */
const MAX_ANSWER_BYTES = 16 * 1024
const MAX_HEADER_BYTES = 16 * 1024

export interface Address {
  address: string
  family: number
}

/** Every address of a name. */
export type Resolve = (host: string) => Promise<Address[]>

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

class ForbiddenAddress extends Error {}

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
    this.#agent = new Agent({
      connect: { timeout: options.timeoutMs, lookup: this.#lookup },
      maxHeaderSize: MAX_HEADER_BYTES,
      pipelining: 1,
      keepAliveTimeout: 4_000,
    })
  }

  async post(address: string, body: string, headers: Record<string, string>): Promise<CallbackAnswer> {
    const url = URL.parse(address)
    if (url === null || !/^https?:$/.test(url.protocol)) return { kind: 'refused', error: 'not an http or https URL' }
    // an address that is written out is connected to without a look-up
    const literal = addressOfHost(url)
    if (literal !== undefined && !this.#isAllowed(literal)) return { kind: 'refused', error: refusal(literal) }
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
      const forbidden = findForbidden(error)
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

  /** What `net.connect` asks for addresses; all of them must be allowed, so that it makes no difference which one is taken. */
  readonly #lookup: LookupFunction = (host, { all }, callback) => {
    const resolve = this.#options.resolve ?? ((name: string) => lookup(name, { all: true }))
    resolve(host).then(
      (addresses) => {
        const forbidden = addresses.find(({ address }) => !this.#isAllowed(address))
        const [first] = addresses
        if (forbidden !== undefined) callback(new ForbiddenAddress(refusal(forbidden.address)), [])
        else if (all) callback(null, addresses)
        else if (first !== undefined) callback(null, first.address, first.family)
        else callback(new Error(`${host} has no address`), [])
      },
      (error: Error) => callback(error, []),
    )
  }
}

const refusal = (address: string): string =>
  `${address} is not a public address, and callbacks to others are not allowed (PERDURE_WEBHOOK_ADDRESSES)`

/** The refusal of a look-up, which connecting may have wrapped. */
function findForbidden(error: unknown): ForbiddenAddress | undefined {
  if (error instanceof ForbiddenAddress) return error
  if (!(error instanceof Error)) return undefined
  if (error instanceof AggregateError) return error.errors.map(findForbidden).find((inner) => inner !== undefined)
  return error.cause === undefined ? undefined : findForbidden(error.cause)
}

async function discard({ body }: Dispatcher.ResponseData): Promise<void> {
  await body.dump({ limit: MAX_ANSWER_BYTES }).catch(() => {})
}

/** Of `Retry-After` in seconds; dates are not understood. */
function retryAfterOf(header: string | string[] | undefined): number {
  const seconds = Number(typeof header === 'string' ? header : Number.NaN)
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0
}
