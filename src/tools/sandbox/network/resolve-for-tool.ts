import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { ForbiddenAddress, guardedLookup, type Resolve, type ResolvedAddress } from '#platform/guarded-lookup.ts'
import { isPublicAddress } from '#platform/public-address.ts'
import type { HostRule, NetworkPolicy } from '#tools/sandbox/tool-runner.ts'

export interface ToolNetworkOptions {
  /** Addresses behind the server too: what the operator allows, not a tool. */
  allowsPrivate: boolean
  /** Instead of the system's resolver. */
  resolve?: Resolve | undefined
}

/** Longer is no name in DNS. */
const MAX_NAME_CHARS = 253

/**
 * The addresses that code may connect to for a host and a port, all of them checked; it must be one of these that is connected to.
 * @param port null where only the name is asked for
 * @throws ForbiddenAddress with what to change, or the resolver's error
 */
export async function resolveForTool(
  policy: NetworkPolicy,
  host: string,
  port: number | null,
  options: ToolNetworkOptions,
): Promise<ResolvedAddress[]> {
  const name = toHostName(host)
  checkPolicy(policy, name, port)
  const family = isIP(name)
  const literal = family === 0 ? undefined : async () => [{ address: name, family }]
  const guarded = guardedLookup({
    isAllowed: (address) => options.allowsPrivate || isPublicAddress(address),
    refusal: (address) =>
      `${name} ${name === address ? 'is' : `has the address ${address}, which is`} not on the public internet; tools may not connect to it.`,
    resolve: literal ?? options.resolve ?? ((which) => lookup(which, { all: true })),
  })
  const { promise, resolve, reject } = Promise.withResolvers<ResolvedAddress[]>()
  guarded(name, { all: true }, (error, addresses) => {
    if (error !== null) reject(error)
    else resolve(addresses as ResolvedAddress[])
  })
  return promise
}

/** Whether one of the rules names the host and the port. */
export function isListed(hosts: readonly HostRule[], name: string, port: number | null): boolean {
  return hosts.some((rule) => {
    const wanted = rule.host.toLowerCase().replace(/\.$/, '')
    const isName = wanted.startsWith('*.') ? name.endsWith(wanted.slice(1)) : name === wanted
    return isName && (rule.port === null || port === null || rule.port === port)
  })
}

export function toHostName(host: string): string {
  return host.toLowerCase().replace(/\.$/, '')
}

function checkPolicy(policy: NetworkPolicy, name: string, port: number | null): void {
  if (name === '' || name.length > MAX_NAME_CHARS || /[^\w.:-]/.test(name)) {
    throw new ForbiddenAddress(`${JSON.stringify(name.slice(0, MAX_NAME_CHARS))} is no name of a host.`)
  }
  const what = port === null ? name : `${name}:${port}`
  if (policy.kind === 'none') {
    throw new ForbiddenAddress(`${what}: this tool has no network. To allow hosts, set metadata_.network of the tool.`)
  }
  if (policy.kind === 'hosts' && !isListed(policy.hosts, name, port)) {
    throw new ForbiddenAddress(
      `${what} is none of the hosts that this tool may connect to. To allow it, add it to metadata_.network of the tool.`,
    )
  }
}
