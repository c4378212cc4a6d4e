import { closestName } from './closest-name.ts'
import { ConfigError } from './config-error.ts'
import { OPTIONS, type Option } from './options.ts'

/**
 * A Kubernetes service called `perdure` puts its address into every pod of its namespace, in variables that look like ours:
 * `PERDURE_PORT=tcp://10.0.0.1:8283`, `PERDURE_SERVICE_HOST`, `PERDURE_PORT_8283_TCP`. They are not meant for us.
 */
export const ENV_ONLY_ON_KUBERNETES = {
  name: /^PERDURE_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP)(_\w+)?)$/,
  value: /^(tcp|udp):\/\//,
}

/** Variables of the V1 SDKs and of `perdure chat`'s users, which are not for the server. */
const CLIENT_NAMES = new Set(['LETTA_BASE_URL', 'LETTA_LOG', 'LETTA_CUSTOM_HEADERS', 'LETTA_API_KEY'])

/**
 * Throws ConfigError for a `PERDURE_*` variable that does not exist: a slip in a name must not leave a default in its place.
 * Returns warnings for `LETTA_*` variables without a meaning here, which old deployments are full of.
 */
export function refuseUnknownNames(env: Readonly<Record<string, string | undefined>>): string[] {
  const known = knownNames()
  const ignored: string[] = []
  for (const [name, value = ''] of Object.entries(env)) {
    if (known.has(name) || value.trim() === '') continue
    if (name.startsWith('PERDURE_')) refuse(name, value, known)
    else if (name.startsWith('LETTA_') && !CLIENT_NAMES.has(name)) ignored.push(name)
  }
  if (ignored.length === 0) return []
  return [`${ignored.sort().join(', ')}: no effect, Perdure has no such setting. See docs/configuration.md.`]
}

function refuse(name: string, value: string, known: Set<string>): void {
  const { name: serviceName, value: serviceValue } = ENV_ONLY_ON_KUBERNETES
  if (serviceName.test(name) || serviceValue.test(value)) return
  if (name.endsWith('_FILE') && known.has(name.slice(0, -'_FILE'.length))) {
    throw new ConfigError(`${name} is not a setting: only secrets can be read from files. Set ${name.slice(0, -5)}.`)
  }
  const guess = closestName(name, known)
  const advice =
    guess === undefined ? 'Remove it; `perdure server --help` lists all settings.' : `Did you mean ${guess}?`
  throw new ConfigError(`${name} is not a setting of Perdure. ${advice}`)
}

function knownNames(): Set<string> {
  const names = new Set<string>()
  for (const option of OPTIONS as readonly Option[]) {
    for (const name of [option.name, ...(option.aliases ?? [])]) {
      names.add(name)
      if (option.secret) names.add(`${name}_FILE`)
    }
  }
  return names
}
