import { sql } from 'kysely'
import { type DomainError, notFound } from '#platform/errors.ts'
import { allOf } from '#store/all-of.ts'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import { type Queryable, statement } from '#store/db.ts'
import { keysetPage, type PageRequest } from '#store/page.ts'
import { requireCursor } from '#store/require-cursor.ts'
import { type FolderRow, folderColumns } from './folder-row.ts'

const FIND_FOLDER = statement(
  'find-folder',
  `select ${folderColumns('f')} from folders as f where f.organization_id = $1 and f.id = $2`,
)

/** The folder, or not_found thrown. */
export async function getFolder(db: Queryable, organizationId: string, folderId: string): Promise<FolderRow> {
  const [row] = await db.query<FolderRow>(FIND_FOLDER, [organizationId, folderId])
  if (row === undefined) throw folderNotFound(folderId)
  return row
}

export const folderNotFound = (folderId: string): DomainError => notFound(`Folder ${folderId} was not found.`)

const FIND_FOLDER_BY_NAME = statement(
  'find-folder-by-name',
  'select f.id from folders as f where f.organization_id = $1 and f.name = $2',
)

/** The id of the folder of this name, or not_found thrown. */
export async function getFolderIdByName(db: Queryable, organizationId: string, name: string): Promise<string> {
  const [row] = await db.query<{ id: string }>(FIND_FOLDER_BY_NAME, [organizationId, name])
  if (row === undefined) throw notFound('There is no folder of this name.')
  return row.id
}

const LIST_TAKEN_FOLDER_NAMES = statement(
  'list-taken-folder-names',
  'select f.name from folders as f where f.organization_id = $1 and (f.name = $2 or starts_with(f.name, $3))',
)

/** The name, if a folder has it, and the names that begin like `start`. */
export async function listTakenFolderNames(
  db: Queryable,
  organizationId: string,
  { name, start }: { name: string; start: string },
): Promise<string[]> {
  const rows = await db.query<{ name: string }>(LIST_TAKEN_FOLDER_NAMES, [organizationId, name, start])
  return rows.map((row) => row.name)
}

/** Every condition that is given must hold. */
export interface FolderFilter {
  name?: string | undefined
  /** Only folders of this agent. */
  agentId?: string | undefined
}

export async function listFolders(
  db: Queryable,
  organizationId: string,
  filter: FolderFilter,
  page: PageRequest,
): Promise<FolderRow[]> {
  const paging = keysetPage(page, { table: 'folders', organizationId })
  const where = allOf(
    sql`folders.organization_id = ${organizationId}`,
    filter.name !== undefined && sql`folders.name = ${filter.name}`,
    filter.agentId !== undefined &&
      sql`folders.id in (select af.folder_id from agent_folders as af
        where af.organization_id = ${organizationId} and af.agent_id = ${filter.agentId})`,
    paging.where,
  )
  const query = sql`select ${sql.raw(folderColumns('folders'))} from folders where ${where}
    order by ${paging.orderBy} limit ${page.limit}`
  const rows = await db.query<FolderRow>(...toStatement('list-folders', query.compile(sqlBuilder)))
  if (rows.length === 0) await requireCursor(db, organizationId, 'folders', page)
  return paging.finish(rows)
}

const COUNT_FOLDERS = statement('count-folders', 'select count(*) as count from folders where organization_id = $1')

export async function countFolders(db: Queryable, organizationId: string): Promise<number> {
  const [row] = await db.query<{ count: number }>(COUNT_FOLDERS, [organizationId])
  return row?.count ?? 0
}

const LIST_FOLDERS_BY_ID = statement(
  'list-folders-by-id',
  `select ${folderColumns('f')} from folders as f where f.organization_id = $1 and f.id = any($2::text[])`,
)

/** The folders of these ids, in no order; ids that do not exist are missing. */
export function listFoldersById(db: Queryable, organizationId: string, ids: readonly string[]): Promise<FolderRow[]> {
  return db.query<FolderRow>(LIST_FOLDERS_BY_ID, [organizationId, ids])
}

/** What a folder holds, in numbers. */
export interface FolderStats {
  id: string
  name: string
  file_count: number
  size_bytes: number
  /** Empty unless asked for. */
  files: { id: string; name: string; size_bytes: number }[]
}

const FOLDER_STATS = statement(
  'list-folder-stats',
  `select fo.id, fo.name, count(fi.id) as file_count, coalesce(sum(fi.size_bytes), 0)::bigint as size_bytes,
     case when $2 then coalesce(jsonb_agg(jsonb_build_object('id', fi.id, 'name', fo.name || '/' || fi.name, 'size_bytes', fi.size_bytes)
       order by fi.created_at, fi.id) filter (where fi.id is not null), '[]') else '[]' end as files
   from folders as fo
   left join files as fi on fi.organization_id = fo.organization_id and fi.folder_id = fo.id
   where fo.organization_id = $1 group by fo.organization_id, fo.id order by fo.created_at, fo.id`,
)

/** Every folder of the organisation, oldest first. */
export function listFolderStats(db: Queryable, organizationId: string, withFiles: boolean): Promise<FolderStats[]> {
  return db.query<FolderStats>(FOLDER_STATS, [organizationId, withFiles])
}
