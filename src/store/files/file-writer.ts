import { type Queryable, statement } from '#store/db.ts'
import type { FileRow } from './file-row.ts'
import type { FileToRead } from './file-upload.ts'

/** The names are the columns' names. */
export interface FileToInsert extends FileToRead {
  char_count: number
  line_count: number
  passage_count: number
}

// The job is what V1 showed of an upload: this one is done when it is seen.
const INSERT_FILE = statement(
  'insert-file',
  `with inserted as (
    insert into files as f (organization_id, id, folder_id, name, original_name, media_type, size_bytes, char_count, line_count,
      passage_count, created_by_id, last_updated_by_id)
    select $1, n.id, n.folder_id, n.name, n.original_name, n.media_type, n.size_bytes, n.char_count, n.line_count, n.passage_count, $4, $4
    from jsonb_to_record($2::jsonb) as n (id text, folder_id text, name text, original_name text, media_type text, size_bytes bigint,
      char_count integer, line_count integer, passage_count integer)
    returning f.*
  ), kept as (
    insert into file_contents (organization_id, file_id, content) select $1, inserted.id, $3 from inserted
  ), job as (
    insert into jobs (organization_id, id, status, folder_id, metadata, created_by_id, completed_at)
    select $1, $5, 'completed', inserted.folder_id, jsonb_build_object('type', 'embedding', 'source_id', inserted.folder_id,
      'file_id', inserted.id, 'filename', inserted.name), $4, clock_timestamp()
    from inserted
  ), known as (
    insert into agent_files (organization_id, id, agent_id, folder_id, file_id)
    select $1, 'file_agent-' || gen_random_uuid(), af.agent_id, af.folder_id, inserted.id from inserted
    join agent_folders as af on af.organization_id = $1 and af.folder_id = inserted.folder_id
  )
  select inserted.id, inserted.created_at, inserted.updated_at from inserted`,
)

/** Stores a file with its text, closed for every agent that has the folder, and its job. The folder is locked. */
export async function insertFile(
  tx: Queryable,
  organizationId: string,
  file: FileToInsert,
  content: string,
  { userId, jobId }: { userId: string; jobId: string },
): Promise<Pick<FileRow, 'created_at' | 'updated_at'>> {
  const values = [organizationId, JSON.stringify(file), content, userId, jobId]
  const [row] = await tx.query<Pick<FileRow, 'created_at' | 'updated_at'>>(INSERT_FILE, values)
  if (row === undefined) throw new Error('insert-file returned no row')
  return row
}

export interface FilePassageToInsert {
  id: string
  position: number
  start_line: number
  end_line: number
  text: string
}

const INSERT_FILE_PASSAGES = statement(
  'insert-file-passages',
  `insert into file_passages (organization_id, id, folder_id, file_id, position, start_line, end_line, text, created_at)
   select $1, n.id, $2, $3, n.position, n.start_line, n.end_line, n.text, now() + n.position * interval '1 microsecond'
   from jsonb_to_recordset($4::jsonb) as n (id text, position integer, start_line integer, end_line integer, text text)`,
)

export async function insertFilePassages(
  tx: Queryable,
  organizationId: string,
  file: { id: string; folder_id: string },
  passages: readonly FilePassageToInsert[],
): Promise<void> {
  await tx.query(INSERT_FILE_PASSAGES, [organizationId, file.folder_id, file.id, JSON.stringify(passages)])
}

const DELETE_FILE = statement(
  'delete-file',
  `with deleted as (
    delete from files where organization_id = $1 and folder_id = $2 and id = $3 returning id, job_id
  ), parts as (
    delete from file_upload_parts as p using deleted where p.organization_id = $1 and p.file_id = deleted.id
  ), job as (
    update jobs as j set status = 'cancelled', completed_at = clock_timestamp(), updated_at = clock_timestamp() from deleted
    where j.organization_id = $1 and j.id = deleted.job_id and j.status = 'running'
  )
  select deleted.id from deleted`,
)

/** Deletes a file with its text and passages, and from all agents; one that is still read is read no further. False where the folder has none such. */
export async function deleteFile(
  db: Queryable,
  organizationId: string,
  folderId: string,
  fileId: string,
): Promise<boolean> {
  const rows = await db.query(DELETE_FILE, [organizationId, folderId, fileId])
  return rows.length > 0
}
