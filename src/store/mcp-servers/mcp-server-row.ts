export type McpServerType = 'stdio' | 'sse' | 'streamable_http'

/** An MCP server as read. What is sealed stays sealed; the names of headers and variables are plain. */
export interface McpServerRow {
  id: string
  server_name: string
  server_type: McpServerType
  server_url: string | null
  auth_header: string | null
  /** Sealed. */
  auth_token: string | null
  /** Sealed values by name. */
  custom_headers: Record<string, string>
  command: string | null
  args: string[]
  /** Sealed values by name. */
  env: Record<string, string>
  /** Why its tools could not be asked for the last time; null where they could. */
  last_error: string | null
  last_synced_at: Date | null
  created_by_id: string | null
  last_updated_by_id: string | null
  created_at: Date
  updated_at: Date
}

const COLUMN_NAMES = [
  'id',
  'server_name',
  'server_type',
  'server_url',
  'auth_header',
  'auth_token',
  'custom_headers',
  'command',
  'args',
  'env',
  'last_error',
  'last_synced_at',
  'created_by_id',
  'last_updated_by_id',
  'created_at',
  'updated_at',
]

export const mcpServerColumns = (alias: string): string => COLUMN_NAMES.map((name) => `${alias}.${name}`).join(', ')
