import { createHash } from 'node:crypto'
import type { SecretBox } from '#platform/secret-box.ts'
import type { McpServerRow } from '#store/mcp-servers/mcp-server-row.ts'
import { McpFailure } from './mcp-failure.ts'
import { mcpSecretOwner } from './mcp-server-input.ts'
import { MissingVariable, resolveTemplate, type Variables } from './resolve-template.ts'

/** Where and how to connect, with nothing left to look up. */
export type McpEndpoint =
  | { type: 'sse' | 'streamable_http'; url: URL; headers: Readonly<Record<string, string>> }
  | { type: 'stdio'; command: string; args: readonly string[]; env: Readonly<Record<string, string>> }

/** A server as one agent, or a person, connects to it. */
export interface McpTarget {
  organizationId: string
  serverId: string
  serverName: string
  endpoint: McpEndpoint
  /** The address as it is stored, which tokens of OAuth are bound to; null for a program. */
  storedUrl: string | null
  /** False where a credential is configured, and for servers that are not stored. */
  mayUseOauth: boolean
  /** The same for the same server with the same secrets: a connection belongs to it. Holds none of them in the clear. */
  key: string
  /** Texts that no message may repeat. */
  secrets: readonly string[]
}

/** What is read of a server; everything secret in it is sealed. */
export type ConnectableServer = Pick<
  McpServerRow,
  | 'id'
  | 'server_name'
  | 'server_type'
  | 'server_url'
  | 'auth_header'
  | 'auth_token'
  | 'custom_headers'
  | 'command'
  | 'args'
  | 'env'
>

/** Opens the secrets of a server and puts the variables in. Throws McpFailure (configuration), which names a variable that is missing. */
export function toTarget(
  organizationId: string,
  server: ConnectableServer,
  secrets: SecretBox,
  variables: Variables,
): McpTarget {
  const used: string[] = []
  const resolve = (text: string, encode?: (value: string) => string) => {
    const resolved = resolveTemplate(text, variables, (value) => {
      const encoded = encode?.(value) ?? value
      used.push(value, encoded)
      return encoded
    })
    return resolved
  }
  const open = (sealed: string, place: string) => {
    const text = resolve(secrets.open(sealed, mcpSecretOwner(organizationId, server.id, place)))
    used.push(text, text.replace(/^\S+ +/, ''))
    return text
  }
  try {
    const endpoint =
      server.server_type === 'stdio'
        ? programOf(server, resolve, open)
        : addressOf(server, server.server_type, resolve, open)
    const hasCredential =
      'headers' in endpoint && Object.keys(endpoint.headers).some((name) => name.toLowerCase() === 'authorization')
    return {
      organizationId,
      serverId: server.id,
      serverName: server.server_name,
      endpoint,
      storedUrl: server.server_url,
      mayUseOauth: endpoint.type !== 'stdio' && !hasCredential,
      key: `${organizationId} ${server.id} ${createHash('sha256').update(JSON.stringify(endpoint)).digest('base64url')}`,
      secrets: used.filter((text) => text.length >= MIN_SECRET_LENGTH),
    }
  } catch (error) {
    if (!(error instanceof MissingVariable)) throw error
    throw new McpFailure(
      'configuration',
      `MCP server '${server.server_name}' was not asked: its configuration needs the variable ${error.variable}, which is not set. Set it in the secrets of the agent or in the sandbox configuration, or give it a default: {{ ${error.variable} | … }}.`,
      { isUnsent: true },
    )
  }
}

/** Shorter ones are likely to be part of an ordinary word. */
const MIN_SECRET_LENGTH = 4

type Resolve = (text: string, encode?: (value: string) => string) => string
type Open = (sealed: string, place: string) => string

function addressOf(
  server: ConnectableServer,
  type: 'sse' | 'streamable_http',
  resolve: Resolve,
  open: Open,
): McpEndpoint {
  const name = server.server_name
  const url = URL.parse(resolve(server.server_url ?? '', encodeURIComponent))
  if (url === null) throw new McpFailure('configuration', `MCP server '${name}' has no valid server_url. Change it.`)
  const headers: Record<string, string> = {}
  for (const [header, sealed] of Object.entries(server.custom_headers)) {
    headers[header] = headerValue(name, header, open(sealed, `custom_headers ${header}`))
  }
  if (server.auth_token !== null) {
    const header = server.auth_header ?? 'Authorization'
    for (const other of Object.keys(headers)) if (other.toLowerCase() === header.toLowerCase()) delete headers[other]
    headers[header] = headerValue(name, header, withScheme(header, open(server.auth_token, 'auth_token')))
  }
  return { type, url, headers }
}

/** A bare token is one of the kind Bearer, as V1 read it. */
const withScheme = (header: string, token: string): string =>
  header.toLowerCase() === 'authorization' && !token.includes(' ') ? `Bearer ${token}` : token

function headerValue(serverName: string, header: string, value: string): string {
  // what RFC 9110 lets stand in a field; a variable can bring anything
  if (/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) return value
  throw new McpFailure(
    'configuration',
    `MCP server '${serverName}' was not asked: the value of its header ${header} has characters that no header can have. Change it, or the variable in it.`,
    { isUnsent: true },
  )
}

function programOf(server: ConnectableServer, resolve: Resolve, open: Open): McpEndpoint {
  const env = Object.entries(server.env).map(([key, sealed]) => [key, open(sealed, `env ${key}`)])
  return {
    type: 'stdio',
    command: server.command ?? '',
    args: server.args.map((arg) => resolve(arg)),
    env: Object.fromEntries(env),
  }
}
