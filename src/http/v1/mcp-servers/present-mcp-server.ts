import { SECRET_MASK } from '#platform/secret-mask.ts'
import type { McpServerRow } from '#store/mcp-servers/mcp-server-row.ts'

/** A server as the wire shows it. */
export function presentMcpServer(row: McpServerRow) {
  const { id, server_name, server_type } = row
  if (server_type === 'stdio') return { id, server_name, mcp_server_type: server_type, ...programOf(row) }
  return { id, server_name, mcp_server_type: server_type, ...addressOf(row) }
}

/** The same in the older form. */
export function presentMcpServerConfig(row: McpServerRow) {
  const { server_name, server_type } = row
  if (server_type === 'stdio') return { server_name, type: server_type, ...programOf(row) }
  return { server_name, type: server_type, ...addressOf(row) }
}

const addressOf = ({ server_url, auth_header, auth_token, custom_headers }: McpServerRow) => ({
  server_url: server_url ?? '',
  auth_header,
  auth_token: auth_token === null ? null : SECRET_MASK,
  custom_headers: masked(custom_headers),
})

const programOf = ({ command, args, env }: McpServerRow) => ({ command: command ?? '', args, env: masked(env) })

/** Names with masks, null where there are none. */
function masked(secrets: Record<string, string>): Record<string, string> | null {
  const names = Object.keys(secrets)
  return names.length === 0 ? null : Object.fromEntries(names.map((name) => [name, SECRET_MASK]))
}
