import { sql } from 'kysely'
import { type DomainError, notFound } from '#platform/errors.ts'
import type { AgentFileRow } from '#store/agents/agent-file-reader.ts'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import { type Queryable, statement } from '#store/db.ts'
import { keysetPage, type PageRequest } from '#store/page.ts'
import { requireCursor } from '#store/require-cursor.ts'
import { type FilePassageRow, type FileRow, fileColumns, filePassageColumns } from './file-row.ts'

/** With its text where that was asked for. */
export type FileWithContent = FileRow & { content: string | null }

const FIND_FILE = statement(
  'find-file',
  `select ${fileColumns('fi', 'fo')}, case when $4 then (select c.content from file_contents as c
     where c.organization_id = $1 and c.file_id = fi.id) end as content
   from files as fi join folders as fo on fo.organization_id = fi.organization_id and fo.id = fi.folder_id
   where fi.organization_id = $1 and fi.folder_id = $2 and fi.id = $3`,
)

export async function findFile(
  db: Queryable,
  organizationId: string,
  folderId: string,
  fileId: string,
  withContent = false,
): Promise<FileWithContent | undefined> {
  const [row] = await db.query<FileWithContent>(FIND_FILE, [organizationId, folderId, fileId, withContent])
  return row
}

export const fileNotFound = (fileId: string, folderId: string): DomainError =>
  notFound(`File ${fileId} was not found in folder ${folderId}.`)

const FIND_FILE_BY_NAME = statement(
  'find-file-by-name',
  `select ${fileColumns('fi', 'fo')} from files as fi
   join folders as fo on fo.organization_id = fi.organization_id and fo.id = fi.folder_id
   where fi.organization_id = $1 and fi.folder_id = $2 and fi.name = $3`,
)

/** `name` is the name within the folder. */
export async function findFileByName(
  db: Queryable,
  organizationId: string,
  folderId: string,
  name: string,
): Promise<FileRow | undefined> {
  const [row] = await db.query<FileRow>(FIND_FILE_BY_NAME, [organizationId, folderId, name])
  return row
}

const LIST_TAKEN_NAMES = statement(
  'list-taken-file-names',
  `select fi.name from files as fi
   where fi.organization_id = $1 and fi.folder_id = $2 and starts_with(fi.name, $3) and right(fi.name, length($4)) = $4`,
)

/** The names within the folder that begin and end so. */
export async function listTakenFileNames(
  db: Queryable,
  organizationId: string,
  folderId: string,
  { start, end }: { start: string; end: string },
): Promise<string[]> {
  const rows = await db.query<{ name: string }>(LIST_TAKEN_NAMES, [organizationId, folderId, start, end])
  return rows.map((row) => row.name)
}

export async function listFiles(
  db: Queryable,
  organizationId: string,
  source: { folderId: string; withContent: boolean },
  page: PageRequest,
): Promise<FileWithContent[]> {
  const paging = keysetPage(page, { table: 'files', organizationId })
  const content = source.withContent
    ? sql`(select c.content from file_contents as c where c.organization_id = files.organization_id and c.file_id = files.id)`
    : sql`null::text`
  const query = sql`select ${sql.raw(fileColumns('files', 'fo'))}, ${content} as content from files
    join folders as fo on fo.organization_id = files.organization_id and fo.id = files.folder_id
    where files.organization_id = ${organizationId} and files.folder_id = ${source.folderId} and ${paging.where}
    order by ${paging.orderBy} limit ${page.limit}`
  const rows = await db.query<FileWithContent>(...toStatement('list-files', query.compile(sqlBuilder)))
  if (rows.length === 0) await requireCursor(db, organizationId, 'files', page)
  return paging.finish(rows)
}

/** A file with what an agent sees of it. */
export type FileToExport = FileWithContent &
  Pick<AgentFileRow, 'is_open' | 'start_line' | 'end_line' | 'visible_content' | 'last_accessed_at'>

const LIST_FILES_TO_EXPORT = statement(
  'list-files-to-export',
  `select f.*, case when f.bytes_so_far <= $3 then (select c.content from file_contents as c
     where c.organization_id = $1 and c.file_id = f.id) end as content
   from (
     select ${fileColumns('fi', 'fo')}, af.is_open, af.start_line, af.end_line, af.visible_content, af.last_accessed_at,
       sum(fi.size_bytes) over (order by fi.name, fi.folder_id) as bytes_so_far
     from agent_files as af
     join files as fi on fi.organization_id = af.organization_id and fi.id = af.file_id
     join folders as fo on fo.organization_id = fi.organization_id and fo.id = fi.folder_id
     where af.organization_id = $1 and af.agent_id = $2
   ) as f order by f.name, f.folder_id`,
)

/** All files of an agent by name, with their texts as long as those have no more bytes than `maxBytes` together. */
export function listFilesToExport(
  db: Queryable,
  organizationId: string,
  agentId: string,
  maxBytes: number,
): Promise<FileToExport[]> {
  return db.query<FileToExport>(LIST_FILES_TO_EXPORT, [organizationId, agentId, maxBytes])
}

export async function listFolderPassages(
  db: Queryable,
  organizationId: string,
  folderId: string,
  page: PageRequest,
): Promise<FilePassageRow[]> {
  const paging = keysetPage(page, { table: 'file_passages', organizationId })
  const query = sql`select ${sql.raw(filePassageColumns('file_passages', 'fi', 'fo'))} from file_passages
    join files as fi on fi.organization_id = file_passages.organization_id and fi.id = file_passages.file_id
    join folders as fo on fo.organization_id = fi.organization_id and fo.id = fi.folder_id
    where file_passages.organization_id = ${organizationId} and file_passages.folder_id = ${folderId} and ${paging.where}
    order by ${paging.orderBy} limit ${page.limit}`
  const rows = await db.query<FilePassageRow>(...toStatement('list-folder-passages', query.compile(sqlBuilder)))
  if (rows.length === 0) await requireCursor(db, organizationId, 'file_passages', page)
  return paging.finish(rows)
}
