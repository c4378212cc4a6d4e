import type { ToolsTable } from '#store/tables.ts'

/** A tool as read. */
export type ToolRow = Omit<ToolsTable, 'organization_id' | 'mcp_server_id' | 'search'> & {
  /** How the MCP server that it belongs to is reached. */
  mcp_server_type: string | null
}

export const toolColumns = (alias: string): string =>
  [
    'id',
    'project_id',
    'name',
    'tool_type',
    'description',
    'source_type',
    'source_code',
    'json_schema',
    'args_json_schema',
    'tags',
    'return_char_limit',
    'pip_requirements',
    'npm_requirements',
    'default_requires_approval',
    'enable_parallel_execution',
    'metadata',
    'created_by_id',
    'last_updated_by_id',
    'created_at',
    'updated_at',
  ]
    .map((name) => `${alias}.${name}`)
    .join(', ')
    .concat(
      `, (select s.server_type from mcp_servers as s
        where s.organization_id = ${alias}.organization_id and s.id = ${alias}.mcp_server_id) as mcp_server_type`,
    )
