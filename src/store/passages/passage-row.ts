import type { PassagesTable } from '#store/tables.ts'

/** A passage as read. */
export type PassageRow = Omit<PassagesTable, 'organization_id' | 'search'>

export const passageColumns = (alias: string): string =>
  ['id', 'archive_id', 'text', 'tags', 'metadata', 'created_by_id', 'last_updated_by_id', 'created_at', 'updated_at']
    .map((name) => `${alias}.${name}`)
    .join(', ')
