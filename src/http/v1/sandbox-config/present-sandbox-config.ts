import { presentTime } from '#http/wire/nullable.ts'
import { SECRET_MASK } from '#platform/secret-mask.ts'
import type { SandboxConfigRow, SandboxVariableRow } from '#store/sandbox-configs/sandbox-config-row.ts'

const common = (row: SandboxConfigRow | SandboxVariableRow) => ({
  created_by_id: row.created_by_id,
  last_updated_by_id: row.last_updated_by_id,
  created_at: presentTime(row.created_at),
  updated_at: presentTime(row.updated_at),
})

export function presentSandboxConfig(row: SandboxConfigRow) {
  return { id: row.id, type: row.sandbox_type, config: row.config, ...common(row) }
}

export function presentSandboxVariable(row: SandboxVariableRow) {
  const { id, key, description, sandbox_config_id } = row
  return { id, key, value: SECRET_MASK, value_enc: null, description, sandbox_config_id, ...common(row) }
}
