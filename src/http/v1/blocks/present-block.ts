import type { BlockRow } from '#store/blocks/block-row.ts'
import type { BlockWire } from './block-schema.ts'

/** A stored block as the wire shows it. */
export function presentBlock(row: BlockRow): BlockWire {
  return {
    value: row.value,
    limit: row.char_limit,
    project_id: row.project_id,
    template_name: row.template_name,
    is_template: row.is_template,
    template_id: row.template_id,
    base_template_id: row.base_template_id,
    deployment_id: row.deployment_id,
    entity_id: row.entity_id,
    preserve_on_migration: row.preserve_on_migration,
    label: row.label,
    read_only: row.read_only,
    description: row.description,
    metadata: row.metadata ?? {},
    hidden: row.hidden,
    id: row.id,
    created_by_id: row.created_by_id,
    last_updated_by_id: row.last_updated_by_id,
    tags: row.tags,
  }
}
