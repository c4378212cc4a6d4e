import { isDeepStrictEqual } from 'node:util'
import { unprocessable } from '#platform/errors.ts'
import type { SecretBox } from '#platform/secret-box.ts'
import { SECRET_MASK } from '#platform/secret-mask.ts'
import type { McpServerRow, McpServerType } from '#store/mcp-servers/mcp-server-row.ts'
import type { McpServerToStore } from '#store/mcp-servers/mcp-server-writer.ts'
import {
  checkHeader,
  checkHeaderValue,
  checkServerType,
  checkServerUrl,
  checkVariable,
  type McpPolicy,
} from './check-mcp-server.ts'

/** How to reach a server: undefined leaves a field as it is, null clears it, and so does the mask of a secret keep it. */
export interface McpServerConfig {
  mcp_server_type: McpServerType
  server_url?: string | null
  auth_header?: string | null
  auth_token?: string | null
  custom_headers?: Record<string, string> | null
  command?: string | null
  args?: string[] | null
  env?: Record<string, string> | null
}

/** What the functions of this folder work with. */
export interface McpOptions {
  secrets: SecretBox
  policy: McpPolicy
}

type Stored = Pick<McpServerRow, 'id' | 'server_type'> & Omit<McpServerToStore, 'server_name'>

const EMPTY = {
  server_url: null,
  auth_header: null,
  auth_token: null,
  custom_headers: {},
  command: null,
  args: [],
  env: {},
}

/**
 * A configuration over what is stored, checked and with its secrets sealed. A server that becomes a program, or ceases to be one, keeps
 * nothing of before. Throws unprocessable and invalid_argument.
 */
export function toStoredServer(
  organizationId: string,
  server: { id: string; stored?: McpServerRow | undefined },
  config: McpServerConfig,
  { secrets, policy }: McpOptions,
): Stored {
  const { mcp_server_type: type } = config
  checkServerType(type, policy)
  const { id, stored } = server
  const isSameKind = stored !== undefined && (stored.server_type === 'stdio') === (type === 'stdio')
  const before = isSameKind ? stored : EMPTY
  const sealer = new Sealer({ secrets, organizationId, serverId: id, isMoved: isMoved(before, config) })
  return type === 'stdio'
    ? { ...EMPTY, id, server_type: type, ...programOf(before, config, sealer) }
    : { ...EMPTY, id, server_type: type, ...addressOf(before, config, sealer, policy) }
}

type Fields = Omit<Stored, 'id' | 'server_type'>

/** True where the server would be another one, which must not get what was given for the first. */
function isMoved(before: Fields, { server_url, command, args }: McpServerConfig): boolean {
  const isOther = (wanted: unknown, stored: unknown) =>
    wanted != null && stored !== null && !isDeepStrictEqual(wanted, stored)
  return isOther(server_url, before.server_url) || isOther(command, before.command) || isOther(args, before.args)
}

function addressOf(before: Fields, config: McpServerConfig, sealer: Sealer, policy: McpPolicy) {
  const server_url = config.server_url ?? before.server_url
  if (server_url === null) throw unprocessable('body.config.server_url: Field required')
  checkServerUrl(server_url, policy)
  const auth_header = kept(config.auth_header, before.auth_header) || null
  if (auth_header !== null) checkHeader('auth_header', auth_header, '')
  checkHeaderValue('auth_token', config.auth_token ?? '')
  for (const [name, value] of Object.entries(config.custom_headers ?? {})) checkHeader('custom_headers', name, value)
  return {
    server_url,
    auth_header,
    auth_token: sealer.one('auth_token', before.auth_token, config.auth_token),
    custom_headers: sealer.each('custom_headers', before.custom_headers, config.custom_headers),
  }
}

function programOf(before: Fields, config: McpServerConfig, sealer: Sealer) {
  const command = config.command ?? before.command
  if (command === null || command.trim() === '') throw unprocessable('body.config.command: Field required')
  for (const name of Object.keys(config.env ?? {})) checkVariable(name)
  return {
    command,
    args: kept(config.args, before.args) ?? [],
    env: sealer.each('env', before.env, config.env),
  }
}

const kept = <Value>(wanted: Value | undefined, current: Value): Value => (wanted === undefined ? current : wanted)

/** Seals the secrets of one server, each for its own place. */
class Sealer {
  readonly #secrets: SecretBox
  readonly #organizationId: string
  readonly #serverId: string

  readonly #isMoved: boolean

  constructor(server: { secrets: SecretBox; organizationId: string; serverId: string; isMoved: boolean }) {
    this.#secrets = server.secrets
    this.#organizationId = server.organizationId
    this.#serverId = server.serverId
    this.#isMoved = server.isMoved
  }

  one(field: string, before: string | null, given: string | null | undefined): string | null {
    if (given === undefined) return before === null ? null : this.#required(field, before)
    if (given === SECRET_MASK) return this.#required(field, before)
    return given === null || given === '' ? null : this.#seal(field, given)
  }

  each(
    field: string,
    before: Record<string, string>,
    given: Record<string, string> | null | undefined,
  ): Record<string, string> {
    if (given === undefined) {
      for (const [name, sealed] of Object.entries(before)) this.#required(`${field} ${name}`, sealed)
      return before
    }
    return Object.fromEntries(
      Object.entries(given ?? {}).map(([name, value]) => {
        const place = `${field} ${name}`
        const known = Object.hasOwn(before, name) ? (before[name] ?? null) : null
        return [name, value === SECRET_MASK ? this.#required(place, known) : this.#seal(place, value)]
      }),
    )
  }

  #seal(place: string, plain: string): string {
    return this.#secrets.seal(plain, mcpSecretOwner(this.#organizationId, this.#serverId, place))
  }

  #required(place: string, before: string | null): string {
    if (before !== null && this.#isMoved) {
      throw unprocessable(
        `body.config: the server is another one now, and ${place} was given for the one before. Send it again, or null to clear it.`,
      )
    }
    if (before !== null) return before
    throw unprocessable(
      `body.config: ${place} is ${SECRET_MASK}, which stands for a stored secret, but none is stored. Send the secret.`,
    )
  }
}

/** What a sealed secret of a server belongs to: whoever opens it says the same. */
export function mcpSecretOwner(organizationId: string, serverId: string, place: string) {
  return { organizationId, place: `mcp_servers ${serverId} ${place}` }
}
