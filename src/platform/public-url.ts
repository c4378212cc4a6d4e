import { isIP } from 'node:net'
import type { AllowedHosts } from './allowed-hosts.ts'
import { addressOfHost, isPublicAddress } from './public-address.ts'

/** Names that mean this machine or its own network. */
const LOCAL_NAME =
  /(^|\.)(localhost|local|localdomain|internal|intranet|lan|home|corp|private|home\.arpa|svc|cluster\.local|in-addr\.arpa|ip6\.arpa)$/

/**
 * Ports at which no web server is and where a request could do harm: the list of the Fetch standard ("bad ports"), and behind the line
 * databases, caches, message queues and control planes.
 */
const BAD_PORTS = new Set([
  ...[0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109],
  ...[
    110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531,
  ],
  ...[532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060],
  ...[5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10_080],
  // ----
  ...[445, 1433, 1521, 2375, 2376, 2379, 2380, 3306, 3389, 5432, 5672, 5900, 5984, 6379, 9042, 9300, 10_250, 10_255],
  ...[11_211, 26_379, 27_017],
])

/**
 * Why a URL leads to nobody else on the internet, as the beginning of a sentence; undefined where it may. What a name means is asked only
 * when it is connected to (`guardedLookup`): it can change until then.
 */
export function findPrivatePart(url: URL): string | undefined {
  if (!isPublicHost(url)) return `${url.hostname || 'a URL without a host'} is not on the public internet`
  return findBadPort(url)
}

/** The same where an operator allows hosts that are not on the public internet. What a name means is checked when it is connected to. */
export function findForbiddenPart(url: URL, allowed: AllowedHosts): string | undefined {
  const address = addressOfHost(url)
  if (address !== undefined) return allowed.hasAddress(address) ? undefined : findPrivatePart(url)
  if (allowed.hasName(url.hostname)) return undefined
  return allowed.hasAddresses ? findBadPort(url) : findPrivatePart(url)
}

/** Whether an address that was found for a host may be connected to. */
export const isAllowedAddress = (
  address: string,
  host: string,
  { allowsPrivate, allowed }: { allowsPrivate: boolean; allowed: AllowedHosts },
): boolean => allowsPrivate || isPublicAddress(address) || allowed.hasName(host) || allowed.hasAddress(address)

/** Why the port is none of a web server; undefined where it may be one. */
function findBadPort({ port }: URL): string | undefined {
  return port !== '' && BAD_PORTS.has(Number(port)) ? `port ${port} is none of a web server` : undefined
}

/** A name without a dot is one of a private network. */
function isPublicHost(url: URL): boolean {
  const address = addressOfHost(url)
  if (address !== undefined) return isPublicAddress(address)
  const name = url.hostname.replace(/\.+$/, '').toLowerCase()
  // with its dots gone it may be an address that a resolver reads and no URL parser does
  if (isIP(name) !== 0 || /(^|\.)(\d+|0x[\da-f]*)$/.test(name)) return false
  return name.includes('.') && !LOCAL_NAME.test(name)
}
