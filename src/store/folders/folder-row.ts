/** A folder as read. */
export interface FolderRow {
  id: string
  project_id: string | null
  name: string
  description: string | null
  instructions: string | null
  metadata: Record<string, unknown> | null
  embedding: string | null
  created_by_id: string | null
  last_updated_by_id: string | null
  created_at: Date
  updated_at: Date
}

const COLUMN_NAMES = [
  'id',
  'project_id',
  'name',
  'description',
  'instructions',
  'metadata',
  'embedding',
  'created_by_id',
  'last_updated_by_id',
  'created_at',
  'updated_at',
] as const satisfies (keyof FolderRow)[]

export const folderColumns = (alias: string): string => COLUMN_NAMES.map((name) => `${alias}.${name}`).join(', ')
