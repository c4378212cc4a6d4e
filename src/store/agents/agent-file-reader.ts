import { sql } from 'kysely'
import { notFound } from '#platform/errors.ts'
import { allOf } from '#store/all-of.ts'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import { type Queryable, statement } from '#store/db.ts'
import { keysetPage, type PageRequest } from '#store/page.ts'

/** What an agent has of a file, as far as opening and closing go. */
export interface AgentFileState {
  file_id: string
  /** `<folder>/<file>`. */
  file_name: string
  is_open: boolean
  start_line: number | null
  end_line: number | null
  last_accessed_at: Date | null
  line_count: number
  char_count: number
}

const LIST_AGENT_FILE_STATES = statement(
  'list-agent-file-states',
  `select af.file_id, fo.name || '/' || fi.name as file_name, af.is_open, af.start_line, af.end_line, af.last_accessed_at,
     fi.line_count, fi.char_count
   from agent_files as af
   join files as fi on fi.organization_id = af.organization_id and fi.id = af.file_id
   join folders as fo on fo.organization_id = fi.organization_id and fo.id = fi.folder_id
   where af.organization_id = $1 and af.agent_id = $2 order by af.created_at, af.id`,
)

/** Every file of an agent, those of the folder that was attached first come first. */
export function listAgentFileStates(db: Queryable, organizationId: string, agentId: string): Promise<AgentFileState[]> {
  return db.query<AgentFileState>(LIST_AGENT_FILE_STATES, [organizationId, agentId])
}

const LIST_FILE_STARTS = statement(
  'list-file-starts',
  `select c.file_id, left(c.content, $3) as content from file_contents as c
   where c.organization_id = $1 and c.file_id = any($2::text[])`,
)

/** The first characters of each text, all of it where `length` is null. */
export async function readFileStarts(
  db: Queryable,
  organizationId: string,
  fileIds: readonly string[],
  length: number,
): Promise<Map<string, string>> {
  const rows = await db.query<{ file_id: string; content: string }>(LIST_FILE_STARTS, [organizationId, fileIds, length])
  return new Map(rows.map((row) => [row.file_id, row.content]))
}

const READ_AGENT_FILE = statement(
  'read-agent-file',
  `select c.content from agent_files as af
   join file_contents as c on c.organization_id = af.organization_id and c.file_id = af.file_id
   where af.organization_id = $1 and af.agent_id = $2 and af.file_id = $3`,
)

/** The whole text of a file that the agent has; undefined where it has none such. */
export async function readAgentFile(
  db: Queryable,
  organizationId: string,
  agentId: string,
  fileId: string,
): Promise<string | undefined> {
  const [row] = await db.query<{ content: string }>(READ_AGENT_FILE, [organizationId, agentId, fileId])
  return row?.content
}

const FILE_LIMITS = statement(
  'find-agent-file-limits',
  `select a.max_files_open, a.per_file_view_window_char_limit from agents as a where a.organization_id = $1 and a.id = $2`,
)

export interface StoredFileLimits {
  max_files_open: number | null
  per_file_view_window_char_limit: number | null
}

export async function findFileLimits(
  db: Queryable,
  organizationId: string,
  agentId: string,
): Promise<StoredFileLimits | undefined> {
  const [row] = await db.query<StoredFileLimits>(FILE_LIMITS, [organizationId, agentId])
  return row
}

/** A file of an agent as lists show it. */
export interface AgentFileRow {
  id: string
  file_id: string
  file_name: string
  folder_id: string
  folder_name: string
  is_open: boolean
  last_accessed_at: Date | null
  visible_content: string | null
  start_line: number | null
  end_line: number | null
}

/** A page of the files of an agent; `isOpen` leaves out the others. */
export async function listAgentFiles(
  db: Queryable,
  organizationId: string,
  source: { agentId: string; isOpen: boolean | undefined },
  page: PageRequest,
): Promise<AgentFileRow[]> {
  const paging = keysetPage(page, { table: 'agent_files', organizationId })
  const where = allOf(
    sql`agent_files.organization_id = ${organizationId}`,
    sql`agent_files.agent_id = ${source.agentId}`,
    source.isOpen !== undefined && sql`agent_files.is_open = ${source.isOpen}`,
    paging.where,
  )
  const query = sql`select agent_files.id, agent_files.file_id, fo.name || '/' || fi.name as file_name, fo.id as folder_id,
      fo.name as folder_name, agent_files.is_open, agent_files.last_accessed_at, agent_files.visible_content,
      agent_files.start_line, agent_files.end_line
    from agent_files
    join files as fi on fi.organization_id = agent_files.organization_id and fi.id = agent_files.file_id
    join folders as fo on fo.organization_id = fi.organization_id and fo.id = fi.folder_id
    where ${where} order by ${paging.orderBy} limit ${page.limit}`
  const rows = await db.query<AgentFileRow>(...toStatement('list-agent-files', query.compile(sqlBuilder)))
  if (rows.length === 0) await requireAgentFile(db, organizationId, source.agentId, page)
  return paging.finish(rows)
}

const KNOWN_AGENT_FILES = statement(
  'list-known-agent-files',
  `select af.id from agent_files as af
   where af.organization_id = $1 and af.agent_id = $2 and af.id = any($3::text[])`,
)

async function requireAgentFile(
  db: Queryable,
  organizationId: string,
  agentId: string,
  page: PageRequest,
): Promise<void> {
  const cursors = [page.after, page.before].filter((cursor) => cursor !== undefined)
  if (cursors.length === 0) return
  const rows = await db.query<{ id: string }>(KNOWN_AGENT_FILES, [organizationId, agentId, cursors])
  const unknown = cursors.find((cursor) => !rows.some((row) => row.id === cursor))
  if (unknown !== undefined) throw notFound(`The cursor ${unknown} was not found: it is not an item of this list.`)
}
