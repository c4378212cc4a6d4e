import { unprocessable } from '#platform/errors.ts'
import type { HostRule, NetworkPolicy } from './tool-runner.ts'

const MAX_HOSTS = 100
/** A name, `*.` and a name, an IPv4 address, or an IPv6 address in brackets; maybe a port. */
const RULE = /^(\*\.)?([a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/

/**
 * Where code of a tool may connect to, as `metadata_.network` of the tool says it: `"none"`, `"public"`, or a list of hosts such as
 * `["api.example.com", "*.example.org:443"]`. `fallback` where it says nothing. Throws unprocessable for anything else.
 */
export function parseNetworkPolicy(network: unknown, fallback: 'none' | 'public'): NetworkPolicy {
  if (network === undefined || network === null) return { kind: fallback }
  if (network === 'none' || network === 'public') return { kind: network }
  if (!Array.isArray(network)) {
    throw unprocessable(
      'body.metadata_.network: must be "none", "public", or a list of hosts such as ["api.example.com", "*.example.org:443"].',
    )
  }
  if (network.length > MAX_HOSTS) throw unprocessable(`body.metadata_.network: has more than ${MAX_HOSTS} hosts.`)
  return network.length === 0 ? { kind: 'none' } : { kind: 'hosts', hosts: network.map(parseHostRule) }
}

function parseHostRule(text: unknown): HostRule {
  const match = typeof text === 'string' ? RULE.exec(text.toLowerCase()) : null
  const port = match?.[3] === undefined ? null : Number(match[3])
  if (match === null || (port !== null && (port < 1 || port > 65_535))) {
    throw unprocessable(
      `body.metadata_.network: ${JSON.stringify(text)} is no host. Write a name, an address, or *.name, and a port after a colon where only one is meant; no URL.`,
    )
  }
  return { host: `${match[1] ?? ''}${match[2]}`, port }
}
