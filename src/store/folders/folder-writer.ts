import { type Queryable, statement } from '#store/db.ts'
import { type FolderRow, folderColumns } from './folder-row.ts'

/** What people say of a folder; the names are the columns' names. */
export interface FolderFields {
  name: string
  description: string | null
  instructions: string | null
  metadata: Record<string, unknown> | null
  embedding: string | null
}

const INSERT_FOLDER = statement(
  'insert-folder',
  `insert into folders as f (organization_id, id, project_id, name, description, instructions, metadata, embedding, created_by_id,
     last_updated_by_id, created_at)
   select $1, $2, $3, n.name, n.description, n.instructions, n.metadata, n.embedding, $5, $5, clock_timestamp()
   from jsonb_to_record($4::jsonb) as n (name text, description text, instructions text, metadata jsonb, embedding text)
   returning ${folderColumns('f')}`,
)

/** Throws a unique violation when the name is taken. */
export async function insertFolder(
  db: Queryable,
  organizationId: string,
  folder: FolderFields & { id: string; projectId: string | null; userId: string },
): Promise<FolderRow> {
  const { id, projectId, userId, ...fields } = folder
  const values = [organizationId, id, projectId, JSON.stringify(fields), userId]
  const [row] = await db.query<FolderRow>(INSERT_FOLDER, values)
  if (row === undefined) throw new Error('insert-folder returned no row')
  return row
}

const LOCK_FOLDER = statement(
  'lock-folder',
  `select ${folderColumns('f')} from folders as f where f.organization_id = $1 and f.id = $2 for no key update`,
)

/**
 * The folder, locked until the end of the transaction, so that its files and the agents that have it do not change meanwhile:
 * who adds one locks it too. Undefined where there is none.
 */
export async function lockFolder(
  tx: Queryable,
  organizationId: string,
  folderId: string,
): Promise<FolderRow | undefined> {
  const [row] = await tx.query<FolderRow>(LOCK_FOLDER, [organizationId, folderId])
  return row
}

const UPDATE_FOLDER = statement(
  'update-folder',
  `update folders as f set name = n.name, description = n.description, instructions = n.instructions, metadata = n.metadata,
     embedding = n.embedding, updated_at = now(), last_updated_by_id = $4
   from jsonb_to_record($3::jsonb) as n (name text, description text, instructions text, metadata jsonb, embedding text)
   where f.organization_id = $1 and f.id = $2 returning ${folderColumns('f')}`,
)

/** Throws a unique violation when the name is taken. Undefined where there is no such folder. */
export async function updateFolder(
  db: Queryable,
  organizationId: string,
  folderId: string,
  fields: FolderFields,
  userId: string,
): Promise<FolderRow | undefined> {
  const [row] = await db.query<FolderRow>(UPDATE_FOLDER, [organizationId, folderId, JSON.stringify(fields), userId])
  return row
}

// Files, contents, passages and what agents have of them go by their foreign keys.
const DELETE_FOLDER = statement(
  'delete-folder',
  `with gone as (
    delete from folders as f where f.organization_id = $1 and f.id = $2 returning f.id
  ), left_without as (
    select af.agent_id from agent_folders as af
    where af.organization_id = $1 and af.folder_id = $2 and not exists (
      select from agent_folders as other
      where other.organization_id = $1 and other.agent_id = af.agent_id and other.folder_id <> $2)
  ), untooled as (
    delete from agent_tools as at using left_without, tools as t
    where at.organization_id = $1 and at.agent_id = left_without.agent_id
      and t.organization_id = $1 and t.id = at.tool_id and t.tool_type = 'letta_files_core'
  )
  select gone.id from gone`,
)

/** Deletes a folder with its files, and from all agents; those that have no other lose the tools for files. False where there is none. */
export async function deleteFolder(db: Queryable, organizationId: string, folderId: string): Promise<boolean> {
  const rows = await db.query(DELETE_FOLDER, [organizationId, folderId])
  return rows.length > 0
}
