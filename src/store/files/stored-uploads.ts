import { type Queryable, statement } from '#store/db.ts'

/** An upload whose bytes are outside of the database. */
export interface StoredUpload {
  organization_id: string
  file_id: string
  /** False where no row of `files` ever knew of it: its upload broke off. */
  is_placed: boolean
}

const INSERT = statement(
  'insert-stored-upload',
  'insert into stored_uploads (organization_id, file_id, storage) values ($1, $2, $3)',
)

/** Notes that bytes of a file are about to be stored. */
export async function insertStoredUpload(
  db: Queryable,
  organizationId: string,
  fileId: string,
  storage: string,
): Promise<void> {
  await db.query(INSERT, [organizationId, fileId, storage])
}

const FIND = statement(
  'find-storage-of-upload',
  'select storage from stored_uploads where organization_id = $1 and file_id = $2',
)

/** Where the bytes of a file are; undefined for the database. */
export async function findStorageOfUpload(
  db: Queryable,
  organizationId: string,
  fileId: string,
): Promise<string | undefined> {
  const [row] = await db.query<{ storage: string }>(FIND, [organizationId, fileId])
  return row?.storage
}

const DELETE = statement(
  'delete-stored-upload',
  'delete from stored_uploads where organization_id = $1 and file_id = $2',
)

/** Forgets an upload whose bytes are gone. */
export async function deleteStoredUpload(db: Queryable, organizationId: string, fileId: string): Promise<void> {
  await db.query(DELETE, [organizationId, fileId])
}

const POSTPONE = statement(
  'postpone-stored-upload',
  'update stored_uploads set created_at = now() where organization_id = $1 and file_id = $2',
)

/** Lists an upload behind the others that there are now. */
export async function postponeStoredUpload(db: Queryable, organizationId: string, fileId: string): Promise<void> {
  await db.query(POSTPONE, [organizationId, fileId])
}

const LIST_LEFTOVER = statement(
  'list-leftover-uploads',
  `select u.organization_id, u.file_id, u.is_placed from stored_uploads as u
   where u.storage = $1
     and case when u.is_placed
       then not exists (select from files as f where f.organization_id = u.organization_id and f.id = u.file_id and f.parse_due_at is not null)
       else u.created_at < now() - $2::integer * interval '1 millisecond' end
   order by u.created_at limit $3`,
)

/** Uploads of all tenants that nobody will read: they are read, or gone with their file, or broke off so long ago. */
export function listLeftoverUploads(
  db: Queryable,
  storage: string,
  { brokenForMs, limit }: { brokenForMs: number; limit: number },
): Promise<StoredUpload[]> {
  return db.query<StoredUpload>(LIST_LEFTOVER, [storage, brokenForMs, limit])
}
