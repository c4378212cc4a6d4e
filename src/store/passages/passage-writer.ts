import { type Queryable, statement } from '#store/db.ts'
import { type PassageRow, passageColumns } from './passage-row.ts'

export interface PassageToInsert {
  id: string
  /** Id of the archive that is made when the agent has none. */
  newArchiveId: string
  agentId: string
  text: string
  tags: readonly string[]
  createdAt: Date | null
  userId: string | null
}

// The passage, its tags, the archive's count and, the first time, the archive itself: one statement, so all or nothing.
const INSERT_AGENT_PASSAGE = statement(
  'insert-agent-passage',
  `with agent as (
    select a.id, a.name, a.project_id, a.embedding, aa.archive_id from agents as a
    left join agent_archives as aa on aa.organization_id = a.organization_id and aa.agent_id = a.id
    where a.organization_id = $1 and a.id = $2
  ), new_archive as (
    insert into archives (organization_id, id, project_id, name, description, embedding, passage_count, created_by_id, last_updated_by_id)
    select $1, $3, agent.project_id, agent.name || '''s Archive', 'Default archive created automatically', agent.embedding, 1, $8, $8
    from agent where agent.archive_id is null
    returning id
  ), attached as (
    insert into agent_archives (organization_id, agent_id, archive_id) select $1, $2, new_archive.id from new_archive
  ), counted as (
    update archives as c set passage_count = c.passage_count + 1, updated_at = now()
    from agent where c.organization_id = $1 and c.id = agent.archive_id
  ), inserted as (
    insert into passages as p (organization_id, id, archive_id, text, tags, metadata, created_by_id, last_updated_by_id, created_at)
    select $1, $4, coalesce(agent.archive_id, $3), $5, $6::text[], '{}', $8, $8, coalesce($7::timestamptz, clock_timestamp()) from agent
    returning ${passageColumns('p')}
  ), tagged as (
    insert into passage_tags (organization_id, archive_id, tag, passage_id)
    select $1, inserted.archive_id, tag, inserted.id from inserted cross join lateral unnest(inserted.tags) as tag
  )
  select * from inserted`,
)

/**
 * Stores a passage in the agent's archive, which is made when there is none. Undefined when there is no such agent.
 * `tags` must be distinct. Throws a unique violation when another passage made the archive at the same moment: try again.
 */
export async function insertAgentPassage(
  db: Queryable,
  organizationId: string,
  passage: PassageToInsert,
): Promise<PassageRow | undefined> {
  const [row] = await db.query<PassageRow>(INSERT_AGENT_PASSAGE, [
    organizationId,
    passage.agentId,
    passage.newArchiveId,
    passage.id,
    passage.text,
    passage.tags,
    passage.createdAt?.toISOString() ?? null,
    passage.userId,
  ])
  return row
}

// The tags go with the passage, by their foreign key.
const DELETE_AGENT_PASSAGE = statement(
  'delete-agent-passage',
  `with deleted as (
    delete from passages as p using agent_archives as aa
    where aa.organization_id = $1 and aa.agent_id = $2
      and p.organization_id = $1 and p.id = $3 and p.archive_id = aa.archive_id
    returning p.id, p.archive_id
  ), counted as (
    update archives as c set passage_count = c.passage_count - 1, updated_at = now()
    from deleted where c.organization_id = $1 and c.id = deleted.archive_id
  )
  select deleted.id from deleted`,
)

/** Deletes a passage of the agent's archive. False when that archive has no such passage. */
export async function deleteAgentPassage(
  db: Queryable,
  organizationId: string,
  agentId: string,
  passageId: string,
): Promise<boolean> {
  const rows = await db.query(DELETE_AGENT_PASSAGE, [organizationId, agentId, passageId])
  return rows.length > 0
}
