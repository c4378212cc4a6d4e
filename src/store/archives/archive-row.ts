import type { ArchivesTable } from '#store/tables.ts'

/** An archive as read. */
export type ArchiveRow = Omit<ArchivesTable, 'organization_id'>

export const archiveColumns = (alias: string): string =>
  [
    'id',
    'project_id',
    'name',
    'description',
    'embedding',
    'metadata',
    'passage_count',
    'created_by_id',
    'last_updated_by_id',
    'created_at',
    'updated_at',
  ]
    .map((name) => `${alias}.${name}`)
    .join(', ')
