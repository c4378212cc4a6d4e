import { BlockList, isIP } from 'node:net'

/** Networks that are no address of somebody else on the internet (IANA's special-purpose registries). */
const SPECIAL_IPV4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  // what clouds serve their own machines at, though the registries call it public: IBM's service network, Azure's WireServer
  ['161.26.0.0', 16],
  ['166.8.0.0', 14],
  ['168.63.129.16', 32],
  // cloud metadata services among them
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  // anycast services of networks themselves (AS112, AMT): nobody has a page there
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const

/** Inside 2000::/3, outside of which nothing is public: protocol assignments with Teredo, documentation, 6to4, AS112. */
const SPECIAL_IPV6 = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['2620:4f:8000::', 48],
  ['3fff::', 20],
] as const

const special = new BlockList()
for (const [network, prefix] of SPECIAL_IPV4) special.addSubnet(network, prefix, 'ipv4')
for (const [network, prefix] of SPECIAL_IPV6) special.addSubnet(network, prefix, 'ipv6')
const globalIpv6 = new BlockList()
globalIpv6.addSubnet('2000::', 3, 'ipv6')
/** RFC 6052's well-known prefix: in networks without IPv4, resolvers give it for every host that has nothing else (DNS64). */
const translated = new BlockList()
translated.addSubnet('64:ff9b::', 96, 'ipv6')

/** False for private, loopback, link-local and other special addresses, and for what is no IP address. */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 4) return !special.check(address, 'ipv4')
  if (isIP(address) === 6 && translated.check(address, 'ipv6')) return isPublicAddress(translatedAddress(address))
  // what maps or embeds IPv4 addresses otherwise lies outside of 2000::/3 or is special
  return isIP(address) === 6 && globalIpv6.check(address, 'ipv6') && !special.check(address, 'ipv6')
}

/** The IPv4 address in the last four bytes of an IPv6 address. */
function translatedAddress(address: string): string {
  // the URL parser writes it in one way: in hexadecimal, so the last two groups are those bytes
  const groups = new URL(`http://[${address.replace(/%.*$/, '')}]/`).hostname.slice(1, -1).split(':')
  const bytes = groups
    .slice(-2)
    .flatMap((group) => [Number.parseInt(group || '0', 16) >> 8, Number.parseInt(group || '0', 16) & 255])
  return bytes.join('.')
}

/** The IP address that stands in a URL instead of a name; undefined for a name. */
export function addressOfHost(url: URL): string | undefined {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  return isIP(host) === 0 ? undefined : host
}
