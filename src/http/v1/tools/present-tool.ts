import type { ToolRow } from '#store/tools/tool-row.ts'
import { riskOf } from '#tools/tool-risk.ts'
import type { ToolWire } from './tool-schema.ts'

/** A stored tool as the wire shows it. */
export function presentTool(row: ToolRow): ToolWire {
  return {
    id: row.id,
    tool_type: row.tool_type,
    description: row.description,
    source_type: row.source_type,
    name: row.name,
    tags: row.tags,
    source_code: row.source_code,
    json_schema: row.json_schema,
    args_json_schema: row.args_json_schema,
    return_char_limit: row.return_char_limit,
    pip_requirements: row.pip_requirements,
    npm_requirements: row.npm_requirements,
    default_requires_approval: row.default_requires_approval,
    enable_parallel_execution: row.enable_parallel_execution,
    created_by_id: row.created_by_id,
    last_updated_by_id: row.last_updated_by_id,
    metadata_: row.metadata,
    project_id: row.project_id,
    risk: riskOf(row),
  }
}
