import { lookup } from 'node:dns/promises'
import type { LookupFunction } from 'node:net'

export interface ResolvedAddress {
  address: string
  family: number
}

/** Every address of a name. */
export type Resolve = (host: string) => Promise<ResolvedAddress[]>

/** An address that must not be connected to; its message says which, and which setting allows it. */
export class ForbiddenAddress extends Error {}

/**
 * What `net.connect` asks for the addresses of a name. All of them must be allowed, so that it makes no difference which one is
 * taken; and it is the checked one that is connected to, whatever the name means a moment later.
 */
export function guardedLookup(options: {
  /** Also by the name that it was found for. */
  isAllowed: (address: string, host: string) => boolean
  refusal: (address: string) => string
  /** Instead of the system's resolver. */
  resolve?: Resolve | undefined
}): LookupFunction {
  const resolve = options.resolve ?? ((name: string) => lookup(name, { all: true }))
  return (host, { all }, callback) => {
    resolve(host).then(
      (addresses) => {
        const forbidden = addresses.find(({ address }) => !options.isAllowed(address, host))
        const [first] = addresses
        if (forbidden !== undefined) callback(new ForbiddenAddress(options.refusal(forbidden.address)), [])
        // Node throws at an empty list, where nobody could catch it
        else if (first === undefined) callback(new Error(`${host} has no address`), [])
        else if (all) callback(null, addresses)
        else callback(null, first.address, first.family)
      },
      (error: Error) => callback(error, []),
    )
  }
}

/** The refusal of a look-up, which connecting may have wrapped. */
export function findForbiddenAddress(error: unknown): ForbiddenAddress | undefined {
  if (error instanceof ForbiddenAddress) return error
  if (!(error instanceof Error)) return undefined
  if (error instanceof AggregateError) {
    return error.errors.map(findForbiddenAddress).find((inner) => inner !== undefined)
  }
  return error.cause === undefined ? undefined : findForbiddenAddress(error.cause)
}
