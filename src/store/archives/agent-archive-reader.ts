import { type Queryable, statement } from '#store/db.ts'

/** The archive of an agent; `archive_id` is null until the first passage is stored. */
export interface AgentArchiveRow {
  agent_id: string
  archive_id: string | null
}

const FIND_AGENT_ARCHIVE = statement(
  'find-agent-archive',
  `select a.id as agent_id, aa.archive_id from agents as a
    left join agent_archives as aa on aa.organization_id = a.organization_id and aa.agent_id = a.id
    where a.organization_id = $1 and a.id = $2`,
)

/** Undefined when there is no such agent. */
export async function findAgentArchive(
  db: Queryable,
  organizationId: string,
  agentId: string,
): Promise<AgentArchiveRow | undefined> {
  const [row] = await db.query<AgentArchiveRow>(FIND_AGENT_ARCHIVE, [organizationId, agentId])
  return row
}

const FIND_ARCHIVE_ID = statement(
  'find-archive-id',
  'select a.id from archives as a where a.organization_id = $1 and a.id = $2',
)

export async function hasArchive(db: Queryable, organizationId: string, archiveId: string): Promise<boolean> {
  const rows = await db.query(FIND_ARCHIVE_ID, [organizationId, archiveId])
  return rows.length > 0
}
