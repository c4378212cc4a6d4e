import type { AllowedHosts } from '#platform/allowed-hosts.ts'
import { invalidArgument, unprocessable } from '#platform/errors.ts'
import { findForbiddenPart } from '#platform/public-url.ts'
import type { McpServerType } from '#store/mcp-servers/mcp-server-row.ts'
import { withoutTemplates } from './resolve-template.ts'

/** What the operator allows. */
export interface McpPolicy {
  allowsStdio: boolean
  allowsPrivate: boolean
  /** Allowed all the same. */
  allowed: AllowedHosts
}

/** RFC 9110's token. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~\w-]+$/
const VARIABLE_NAME = /^[A-Za-z_]\w*$/

/** Throws invalid_argument where servers that are programs on this machine are not allowed. */
export function checkServerType(type: McpServerType, policy: McpPolicy): void {
  if (type !== 'stdio' || policy.allowsStdio) return
  throw invalidArgument(
    'INVALID_ARGUMENT: stdio MCP servers are programs that run on the machine of this server, and are not allowed here. Use streamable_http, or let the operator set PERDURE_MCP_STDIO=on.',
  )
}

/**
 * Throws unprocessable for an address that is none of an MCP server, and for one behind this server. What a name means is asked only when
 * the server is connected to: it can change until then.
 */
export function checkServerUrl(text: string, policy: McpPolicy): void {
  if (/^[a-z]+:\/\/[^/?#]*\{\{/i.test(text)) {
    throw unprocessable('body.config.server_url: the host cannot come from a variable; path and query can.')
  }
  const url = URL.parse(withoutTemplates(text))
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw unprocessable('body.config.server_url: must be a URL that begins with https:// or http://.')
  }
  if (url.username !== '' || url.password !== '') {
    throw unprocessable(
      'body.config.server_url: must not have a user or a password in it; use auth_header and auth_token.',
    )
  }
  const problem = policy.allowsPrivate ? undefined : findForbiddenPart(url, policy.allowed)
  if (problem === undefined) return
  throw unprocessable(
    `body.config.server_url: ${problem}. PERDURE_MCP_ALLOWED_HOSTS or PERDURE_MCP_ADDRESSES=any can allow it.`,
  )
}

/** Throws unprocessable for what cannot stand in a header. */
export function checkHeader(field: string, name: string, value: string): void {
  if (!HEADER_NAME.test(name))
    throw unprocessable(`body.config.${field}: ${JSON.stringify(name)} is no name of a header.`)
  checkHeaderValue(field, value)
}

export function checkHeaderValue(field: string, value: string): void {
  if (/[\r\n\0]/.test(value)) throw unprocessable(`body.config.${field}: a header cannot have more than one line.`)
}

/** Throws unprocessable for what is no environment variable. */
export function checkVariable(name: string): void {
  if (!VARIABLE_NAME.test(name)) {
    throw unprocessable(`body.config.env: ${JSON.stringify(name)} is no name of a variable.`)
  }
}
