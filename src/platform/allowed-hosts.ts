import { BlockList, isIP } from 'node:net'

/** Hosts that an operator allows although they are not on the public internet. */
export interface AllowedHosts {
  /** True for a name that is allowed whatever it resolves to; case does not matter. */
  hasName(host: string): boolean
  hasAddress(address: string): boolean
  /** Some address is allowed, so that names of private networks may mean one. */
  readonly hasAddresses: boolean
}

const NAME = /^(\*\.)?[a-z\d]([\w-]*[a-z\d])?(\.[a-z\d]([\w-]*[a-z\d])?)*$/i

/**
 * Reads a list of names (`mcp.internal`), names below one (`*.example.org`), addresses (`10.0.0.7`, `fd00::7`) and networks (`10.0.0.0/8`),
 * separated by commas or spaces. Throws an Error that names the entry that is none of these.
 */
export function parseAllowedHosts(text: string): AllowedHosts {
  const names = new Set<string>()
  const suffixes: string[] = []
  const networks = new BlockList()
  let hasAddresses = false
  for (const entry of text.split(/[\s,]+/).filter((part) => part !== '')) {
    const host = entry.toLowerCase().replace(/^\[(.*)\]/, '$1')
    if (addNetwork(networks, host)) {
      hasAddresses = true
      continue
    }
    if (!NAME.test(host)) throw new Error(`${JSON.stringify(entry)} is no host, address or network such as 10.0.0.0/8`)
    if (host.startsWith('*.')) suffixes.push(host.slice(1))
    else names.add(host)
  }
  return {
    hasName(host) {
      const name = host.toLowerCase().replace(/\.$/, '')
      return names.has(name) || suffixes.some((suffix) => name.endsWith(suffix))
    },
    hasAddresses,
    hasAddress: (address) => isIP(address) !== 0 && networks.check(address, familyOf(address)),
  }
}

const familyOf = (address: string) => (isIP(address) === 4 ? 'ipv4' : 'ipv6')

/** False for what is no address or network. */
function addNetwork(networks: BlockList, text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/')
  if (isIP(address) === 0 || rest.length > 0) return false
  if (prefix === undefined) {
    networks.addAddress(address, familyOf(address))
    return true
  }
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > (isIP(address) === 4 ? 32 : 128)) return false
  networks.addSubnet(address, Number(prefix), familyOf(address))
  return true
}
