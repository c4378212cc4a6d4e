import { type Queryable, statement } from '#store/db.ts'
import { type ArchiveRow, archiveColumns } from './archive-row.ts'

export interface ArchiveToInsert {
  id: string
  projectId: string | null
  name: string
  description: string | null
  embedding: string | null
  userId: string
}

const INSERT_ARCHIVE = statement(
  'insert-archive',
  `insert into archives as a (organization_id, id, project_id, name, description, embedding, created_by_id, last_updated_by_id, created_at)
   values ($1, $2, $3, $4, $5, $6, $7, $7, clock_timestamp()) returning ${archiveColumns('a')}`,
)

export async function insertArchive(
  db: Queryable,
  organizationId: string,
  archive: ArchiveToInsert,
): Promise<ArchiveRow> {
  const { id, projectId, name, description, embedding, userId } = archive
  const [row] = await db.query<ArchiveRow>(INSERT_ARCHIVE, [
    organizationId,
    id,
    projectId,
    name,
    description,
    embedding,
    userId,
  ])
  if (row === undefined) throw new Error('insert-archive returned no row')
  return row
}

const UPDATE_ARCHIVE = statement(
  'update-archive',
  `update archives as a set name = coalesce($3, a.name), description = case when $4 then $5 else a.description end,
     updated_at = now(), last_updated_by_id = $6
   where a.organization_id = $1 and a.id = $2 returning ${archiveColumns('a')}`,
)

/** An undefined field stays, and so does the name when it is null. Undefined when there is no such archive. */
export async function updateArchive(
  db: Queryable,
  organizationId: string,
  archiveId: string,
  change: { name?: string | null | undefined; description?: string | null | undefined },
  userId: string,
): Promise<ArchiveRow | undefined> {
  const [row] = await db.query<ArchiveRow>(UPDATE_ARCHIVE, [
    organizationId,
    archiveId,
    change.name ?? null,
    change.description !== undefined,
    change.description ?? null,
    userId,
  ])
  return row
}

const DELETE_ARCHIVE = statement(
  'delete-archive',
  'delete from archives where organization_id = $1 and id = $2 returning id',
)

/** Deletes the archive with its passages, and from all agents. False when there is none. */
export async function deleteArchive(db: Queryable, organizationId: string, archiveId: string): Promise<boolean> {
  const rows = await db.query(DELETE_ARCHIVE, [organizationId, archiveId])
  return rows.length > 0
}

const ATTACH_ARCHIVE = statement(
  'attach-archive',
  `with given as (
    select a.id as agent_id, c.id as archive_id from agents as a
    join archives as c on c.organization_id = a.organization_id and c.id = $3
    where a.organization_id = $1 and a.id = $2
  ), attached as (
    insert into agent_archives as aa (organization_id, agent_id, archive_id)
    select $1, given.agent_id, given.archive_id from given
    -- writing the row anew is what reads it back, also one that another transaction has just made
    on conflict (organization_id, agent_id) do update set archive_id = aa.archive_id
    returning aa.archive_id
  )
  select attached.archive_id from attached`,
)

/** The archive that the agent has then: another one where it had one before. Undefined where agent or archive is missing. */
export async function attachArchiveRow(
  db: Queryable,
  organizationId: string,
  agentId: string,
  archiveId: string,
): Promise<string | undefined> {
  const [row] = await db.query<{ archive_id: string }>(ATTACH_ARCHIVE, [organizationId, agentId, archiveId])
  return row?.archive_id
}

const DETACH_ARCHIVE = statement(
  'detach-archive',
  'delete from agent_archives where organization_id = $1 and agent_id = $2 and archive_id = $3',
)

/** Does nothing where it is not attached. */
export async function detachArchiveRow(
  db: Queryable,
  organizationId: string,
  agentId: string,
  archiveId: string,
): Promise<void> {
  await db.query(DETACH_ARCHIVE, [organizationId, agentId, archiveId])
}
