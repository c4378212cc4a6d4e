import type { BlocksTable } from '#store/tables.ts'

/** A block as read, with its tags in alphabetical order. */
export interface BlockRow extends Omit<BlocksTable, 'organization_id'> {
  tags: string[]
}

const COLUMN_NAMES = [
  'id',
  'project_id',
  'label',
  'value',
  'char_limit',
  'description',
  'read_only',
  'metadata',
  'is_template',
  'template_name',
  'template_id',
  'base_template_id',
  'deployment_id',
  'entity_id',
  'preserve_on_migration',
  'hidden',
  'version',
  'created_by_id',
  'last_updated_by_id',
  'created_at',
  'updated_at',
]

/** Columns of `BlockRow` but the tags, qualified by the table's alias in the statement. */
export const blockColumns = (alias: string): string => COLUMN_NAMES.map((name) => `${alias}.${name}`).join(', ')

/** The tags of the block, as a column of the select list. */
export const blockTagsColumn = (alias: string): string =>
  `array(select t.tag from block_tags as t where t.organization_id = ${alias}.organization_id and t.block_id = ${alias}.id order by t.tag) as tags`
