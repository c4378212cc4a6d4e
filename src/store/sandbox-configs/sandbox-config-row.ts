export type SandboxType = 'local' | 'e2b' | 'modal'

export interface SandboxConfigRow {
  id: string
  sandbox_type: SandboxType
  config: Record<string, unknown>
  created_by_id: string | null
  last_updated_by_id: string | null
  created_at: Date
  updated_at: Date
}

/** An environment variable for code of tools; its value is not read here. */
export interface SandboxVariableRow {
  id: string
  sandbox_config_id: string
  key: string
  description: string | null
  created_by_id: string | null
  last_updated_by_id: string | null
  created_at: Date
  updated_at: Date
}

const columns = (names: readonly string[]) => (alias: string) => names.map((name) => `${alias}.${name}`).join(', ')
const COMMON = ['created_by_id', 'last_updated_by_id', 'created_at', 'updated_at']

export const sandboxConfigColumns = columns(['id', 'sandbox_type', 'config', ...COMMON])
export const sandboxVariableColumns = columns(['id', 'sandbox_config_id', 'key', 'description', ...COMMON])
