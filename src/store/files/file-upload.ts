import { type Queryable, statement } from '#store/db.ts'
import type { FileRow } from './file-row.ts'

const INSERT_PART = statement(
  'insert-file-upload-part',
  'insert into file_upload_parts (organization_id, file_id, position, bytes) values ($1, $2, $3, $4)',
)

/** Keeps some bytes of a file that is to be read later. `position` is 0 for the first. */
export async function insertUploadPart(
  db: Queryable,
  organizationId: string,
  part: { fileId: string; position: number; bytes: Uint8Array },
): Promise<void> {
  await db.query(INSERT_PART, [organizationId, part.fileId, part.position, part.bytes])
}

const FIND_PART = statement(
  'find-file-upload-part',
  'select bytes from file_upload_parts where organization_id = $1 and file_id = $2 and position = $3',
)

/** Undefined behind the last. */
export async function findUploadPart(
  db: Queryable,
  organizationId: string,
  part: { fileId: string; position: number },
): Promise<Uint8Array | undefined> {
  const [row] = await db.query<{ bytes: Uint8Array }>(FIND_PART, [organizationId, part.fileId, part.position])
  return row?.bytes
}

const DELETE_PARTS = statement(
  'delete-file-upload-parts',
  'delete from file_upload_parts where organization_id = $1 and file_id = $2',
)

export async function deleteUploadParts(db: Queryable, organizationId: string, fileId: string): Promise<void> {
  await db.query(DELETE_PARTS, [organizationId, fileId])
}

/** The names are the columns' names. */
export interface FileToRead {
  id: string
  folder_id: string
  name: string
  original_name: string
  media_type: string | null
  size_bytes: number
}

const INSERT_FILE_TO_READ = statement(
  'insert-file-to-read',
  `with inserted as (
    insert into files as f (organization_id, id, folder_id, name, original_name, media_type, size_bytes, char_count, line_count,
      passage_count, processing_status, stored_passage_count, job_id, parse_due_at, created_by_id, last_updated_by_id)
    select $1, n.id, n.folder_id, n.name, n.original_name, n.media_type, n.size_bytes, 0, 0, 0, 'pending', 0, $4, now(), $3, $3
    from jsonb_to_record($2::jsonb) as n (id text, folder_id text, name text, original_name text, media_type text, size_bytes bigint)
    returning f.*
  ), job as (
    insert into jobs (organization_id, id, status, folder_id, metadata, created_by_id)
    select $1, $4, 'running', inserted.folder_id, jsonb_build_object('type', 'embedding', 'source_id', inserted.folder_id,
      'file_id', inserted.id, 'filename', inserted.name), $3
    from inserted
  ), placed as (
    update stored_uploads as u set is_placed = true from inserted where u.organization_id = $1 and u.file_id = inserted.id
  )
  select inserted.created_at, inserted.updated_at from inserted`,
)

/** Stores a file that is to be read in the background, its bytes being there; no agent sees it yet. And its job. The folder is locked. */
export async function insertFileToRead(
  tx: Queryable,
  organizationId: string,
  file: FileToRead,
  { userId, jobId }: { userId: string; jobId: string },
): Promise<Pick<FileRow, 'created_at' | 'updated_at'>> {
  const values = [organizationId, JSON.stringify(file), userId, jobId]
  const [row] = await tx.query<Pick<FileRow, 'created_at' | 'updated_at'>>(INSERT_FILE_TO_READ, values)
  if (row === undefined) throw new Error('insert-file-to-read returned no row')
  return row
}
