import { type Queryable, statement } from '#store/db.ts'
import type { FilePassageToInsert } from './file-writer.ts'

/** A file that this process is to read, and nobody else while the lease lasts. */
export interface ClaimedFile {
  organization_id: string
  id: string
  folder_id: string
  original_name: string
  media_type: string | null
  size_bytes: number
  /** 1 for the first. */
  parse_attempts: number
  parse_token: string
}

const CLAIM = statement(
  'claim-files-to-read',
  `with due as (
    select f.organization_id, f.id from files as f where f.parse_due_at <= now()
    order by f.parse_due_at limit $1 for no key update skip locked
  )
  update files as f set processing_status = 'parsing', error_message = null, parse_attempts = f.parse_attempts + 1, parse_token = gen_random_uuid(),
    parse_due_at = now() + $2::integer * interval '1 millisecond', updated_at = clock_timestamp()
  from due where f.organization_id = due.organization_id and f.id = due.id
  returning f.organization_id, f.id, f.folder_id, f.original_name, f.media_type, f.size_bytes, f.parse_attempts, f.parse_token`,
)

/** Takes files that wait, or whose reader has died, the oldest first; of all tenants. */
export function claimFilesToRead(db: Queryable, limit: number, leaseMs: number): Promise<ClaimedFile[]> {
  return db.query<ClaimedFile>(CLAIM, [limit, leaseMs])
}

const keyOf = (file: ClaimedFile) => [file.organization_id, file.id, file.parse_token] as const

const RENEW = statement(
  'renew-file-to-read',
  `update files set parse_due_at = now() + $4::integer * interval '1 millisecond'
   where organization_id = $1 and id = $2 and parse_token = $3 returning id`,
)

/** False where the file is gone, was cancelled, or is somebody else's now. */
export async function renewFileToRead(db: Queryable, file: ClaimedFile, leaseMs: number): Promise<boolean> {
  return (await db.query(RENEW, [...keyOf(file), leaseMs])).length > 0
}

const RELEASE = statement(
  'release-file-to-read',
  `update files set processing_status = 'pending', parse_token = null, parse_attempts = $4, error_message = $6,
     parse_due_at = now() + $5::integer * interval '1 millisecond', updated_at = clock_timestamp()
   where organization_id = $1 and id = $2 and parse_token = $3`,
)

/** Gives a file back, to be read after a pause, with so many attempts behind it; `reason` says what it waits for, where that is known. */
export async function releaseFileToRead(
  db: Queryable,
  file: ClaimedFile,
  { attempts, pauseMs, reason = null }: { attempts: number; pauseMs: number; reason?: string | null },
): Promise<void> {
  await db.query(RELEASE, [...keyOf(file), attempts, pauseMs, reason])
}

const STORE_TEXT = statement(
  'store-text-of-file',
  `with mine as (
    update files set processing_status = 'embedding', char_count = $4, line_count = $5, passage_count = $6, stored_passage_count = 0,
      updated_at = clock_timestamp()
    where organization_id = $1 and id = $2 and parse_token = $3 returning id
  ), leftover as (
    delete from file_passages as p using mine where p.organization_id = $1 and p.file_id = mine.id
  ), kept as (
    insert into file_contents (organization_id, file_id, content) select $1, mine.id, $7 from mine
    on conflict (organization_id, file_id) do update set content = excluded.content
  )
  select mine.id from mine`,
)

/** Keeps what was read, and drops what an attempt before has left. False where the file is not ours any more. */
export async function storeTextOfFile(
  db: Queryable,
  file: ClaimedFile,
  { text, lineCount, passageCount }: { text: string; lineCount: number; passageCount: number },
): Promise<boolean> {
  return (await db.query(STORE_TEXT, [...keyOf(file), text.length, lineCount, passageCount, text])).length > 0
}

const STORE_PASSAGES = statement(
  'store-passages-of-file',
  `with mine as (
    update files set stored_passage_count = stored_passage_count + jsonb_array_length($4::jsonb), updated_at = clock_timestamp()
    where organization_id = $1 and id = $2 and parse_token = $3 returning id, folder_id
  ), stored as (
    insert into file_passages (organization_id, id, folder_id, file_id, position, start_line, end_line, text, created_at)
    select $1, n.id, mine.folder_id, mine.id, n.position, n.start_line, n.end_line, n.text, now() + n.position * interval '1 microsecond'
    from mine cross join jsonb_to_recordset($4::jsonb) as n (id text, position integer, start_line integer, end_line integer, text text)
  )
  select mine.id from mine`,
)

/** Some of its passages. False where the file is not ours any more. */
export async function storePassagesOfFile(
  db: Queryable,
  file: ClaimedFile,
  passages: readonly FilePassageToInsert[],
): Promise<boolean> {
  return (await db.query(STORE_PASSAGES, [...keyOf(file), JSON.stringify(passages)])).length > 0
}

const FINISH = statement(
  'finish-file',
  `with mine as (
    update files as f set processing_status = 'completed', stored_passage_count = null, parse_token = null,
      parse_due_at = null, updated_at = clock_timestamp()
    where f.organization_id = $1 and f.id = $2 and f.parse_token = $3
    returning f.id, f.folder_id, f.job_id
  ), job as (
    update jobs as j set status = 'completed', completed_at = clock_timestamp(), updated_at = clock_timestamp() from mine
    where j.organization_id = $1 and j.id = mine.job_id
  ), parts as (
    delete from file_upload_parts as p using mine where p.organization_id = $1 and p.file_id = mine.id
  ), known as (
    insert into agent_files (organization_id, id, agent_id, folder_id, file_id)
    select $1, 'file_agent-' || gen_random_uuid(), af.agent_id, af.folder_id, mine.id from mine
    join agent_folders as af on af.organization_id = $1 and af.folder_id = mine.folder_id
    on conflict (organization_id, agent_id, file_id) do nothing
  )
  select mine.id from mine`,
)

/** The file is read: agents that have the folder see it, closed. The folder is locked. False where the file is not ours any more. */
export async function finishFile(tx: Queryable, file: ClaimedFile): Promise<boolean> {
  return (await tx.query(FINISH, keyOf(file))).length > 0
}

// without a token: whoever reads it
const FAIL = statement(
  'fail-file',
  `with failed as (
    update files as f set processing_status = 'error', error_message = $5, char_count = 0, line_count = 0, passage_count = 0,
      stored_passage_count = null, parse_token = null, parse_due_at = null, updated_at = clock_timestamp()
    where f.organization_id = $1 and f.id = $2 and f.parse_due_at is not null and ($3::text is null or f.parse_token = $3)
    returning f.id, f.job_id
  ), job as (
    update jobs as j set status = $4, completed_at = clock_timestamp(), updated_at = clock_timestamp(),
      metadata = j.metadata || jsonb_build_object('error', $5::text)
    from failed where j.organization_id = $1 and j.id = failed.job_id
  ), parts as (
    delete from file_upload_parts as p using failed where p.organization_id = $1 and p.file_id = failed.id
  ), content as (
    delete from file_contents as c using failed where c.organization_id = $1 and c.file_id = failed.id
  ), passages as (
    delete from file_passages as p using failed where p.organization_id = $1 and p.file_id = failed.id
  )
  select failed.id from failed`,
)

/** The file cannot be read, for this reason. False where it is not ours any more. */
export async function failFile(db: Queryable, file: ClaimedFile, reason: string): Promise<boolean> {
  return (await db.query(FAIL, [...keyOf(file), 'failed', reason])).length > 0
}

/** Ends the reading of a file, whoever reads it. Nothing where it has ended. */
export async function cancelFile(db: Queryable, organizationId: string, fileId: string, reason: string): Promise<void> {
  await db.query(FAIL, [organizationId, fileId, null, 'cancelled', reason])
}

const DELETE_ORPHANS = statement(
  'delete-orphaned-upload-parts',
  `delete from file_upload_parts as p
   where p.created_at < now() - $1::integer * interval '1 millisecond'
     and not exists (select from files as f where f.organization_id = p.organization_id and f.id = p.file_id and f.parse_due_at is not null)`,
)

/** Deletes bytes that nobody will read: their upload broke off so long ago, or their folder was deleted. */
export async function deleteOrphanedUploadParts(db: Queryable, olderThanMs: number): Promise<void> {
  await db.query(DELETE_ORPHANS, [olderThanMs])
}

const END_JOBS = statement(
  'end-jobs-of-deleted-files',
  `update jobs as j set status = 'cancelled', completed_at = clock_timestamp(), updated_at = clock_timestamp()
   where j.status = 'running' and not exists (
     select from files as f where f.organization_id = j.organization_id and f.id = j.metadata->>'file_id' and f.job_id = j.id)`,
)

/** Ends the jobs of files that went with their folder. */
export async function endJobsOfDeletedFiles(db: Queryable): Promise<void> {
  await db.query(END_JOBS)
}
