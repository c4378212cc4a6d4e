import { type Author, authorColumns } from '#store/author.ts'
import { type Queryable, statement } from '#store/db.ts'
import { ON_SAME_FACT, type PassageRow, passageColumns } from './passage-row.ts'

/** A passage that was written, or the one that was there and says the same. */
export interface WrittenPassageRow extends PassageRow {
  isDuplicate: boolean
}

export interface PassageToInsert {
  id: string
  /** Id of the archive that is made when the agent has none. */
  newArchiveId: string
  agentId: string
  text: string
  /** Null: stored whatever is there already. */
  factKey: string | null
  tags: readonly string[]
  createdAt: Date | null
}

// The passage, its tags, the archive's count and, the first time, the archive itself: one statement, so all or nothing. The archive is
// counted when the passage is in, as everywhere: whoever waits for another writer of the same fact must not hold the archive meanwhile.
const INSERT_AGENT_PASSAGE = statement(
  'insert-agent-passage',
  `with agent as (
    select a.id, a.name, a.project_id, a.embedding, aa.archive_id from agents as a
    left join agent_archives as aa on aa.organization_id = a.organization_id and aa.agent_id = a.id
    where a.organization_id = $1 and a.id = $2
  ), new_archive as (
    insert into archives (organization_id, id, project_id, name, description, embedding, passage_count, created_by_id, last_updated_by_id)
    select $1, $3, agent.project_id, agent.name || '''s Archive', 'Default archive created automatically', agent.embedding, 1, $10, $10
    from agent where agent.archive_id is null
    returning id
  ), attached as (
    insert into agent_archives (organization_id, agent_id, archive_id) select $1, $2, new_archive.id from new_archive
  ), inserted as (
    insert into passages as p (organization_id, id, archive_id, text, tags, metadata, fact_key, created_by_id, last_updated_by_id, created_at,
      author_type, author_id, run_id, tool_name)
    select $1, $4, coalesce(agent.archive_id, $3), $5, $6::text[], '{}', $8::uuid, $10, $10, coalesce($7::timestamptz, clock_timestamp()),
      $9, $10, $11, $12
    from agent
    ${ON_SAME_FACT}
    returning ${passageColumns('p')}
  ), tagged as (
    insert into passage_tags (organization_id, archive_id, tag, passage_id)
    select $1, inserted.archive_id, tag, inserted.id from inserted cross join lateral unnest(inserted.tags) as tag
    on conflict do nothing
  ), counted as (
    update archives as c set passage_count = c.passage_count + 1, updated_at = now()
    from inserted where inserted.id = $4 and c.organization_id = $1 and c.id = inserted.archive_id
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
  author: Author,
): Promise<WrittenPassageRow | undefined> {
  const [row] = await db.query<PassageRow>(INSERT_AGENT_PASSAGE, [
    organizationId,
    passage.agentId,
    passage.newArchiveId,
    passage.id,
    passage.text,
    passage.tags,
    passage.createdAt?.toISOString() ?? null,
    passage.factKey,
    ...authorColumns(author),
  ])
  return row && { ...row, isDuplicate: row.id !== passage.id }
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

/** A passage for a given archive. */
export interface ArchivePassageToInsert {
  id: string
  text: string
  /** Null: stored whatever is there already. */
  fact_key: string | null
  tags: readonly string[]
  metadata: Record<string, unknown> | null
  /** ISO 8601; now when null. */
  created_at: string | null
}

// Passages, tags and the archive's count in one statement. Passages without a time of their own keep their order in lists. They go in by
// the order of their keys, so that two statements with the same facts wait for each other, and not in a circle.
const INSERT_ARCHIVE_PASSAGES = statement(
  'insert-archive-passages',
  `with home as (
    select c.id from archives as c where c.organization_id = $1 and c.id = $2
  ), given as (
    select item.position, n.* from home cross join jsonb_array_elements($3::jsonb) with ordinality as item (value, position)
    cross join lateral jsonb_to_record(item.value) as n (id text, text text, fact_key uuid, tags text[], metadata jsonb, created_at timestamptz)
  ), inserted as (
    insert into passages as p (organization_id, id, archive_id, text, tags, metadata, fact_key, created_by_id, last_updated_by_id, created_at,
      author_type, author_id, run_id, tool_name)
    select $1, given.id, $2, given.text, given.tags, coalesce(given.metadata, '{}'), given.fact_key, $5, $5,
      coalesce(given.created_at, statement_timestamp() + given.position * interval '1 microsecond'), $4, $5, $6, $7
    from given order by given.fact_key, given.position
    ${ON_SAME_FACT}
    returning ${passageColumns('p')}, p.fact_key
  ), tagged as (
    insert into passage_tags (organization_id, archive_id, tag, passage_id)
    select $1, $2, tag, inserted.id from inserted cross join lateral unnest(inserted.tags) as tag
    on conflict do nothing
  ), counted as (
    update archives as c set passage_count = c.passage_count + n.added, updated_at = now()
    from (select count(*)::integer as added from inserted join given on given.id = inserted.id) as n
    where c.organization_id = $1 and c.id = $2 and n.added > 0
  )
  select ${passageColumns('inserted')}, given.id as given_id from given
  join inserted on coalesce(inserted.fact_key::text, inserted.id) = coalesce(given.fact_key::text, given.id)
  order by given.position`,
)

/**
 * Stores passages in an archive, all or none, and gives them, or those that are there instead, back in the same order; none when there is
 * no such archive. No two of them may have one key.
 */
export async function insertArchivePassages(
  db: Queryable,
  organizationId: string,
  archiveId: string,
  passages: readonly ArchivePassageToInsert[],
  author: Author,
): Promise<WrittenPassageRow[]> {
  const rows = await db.query<PassageRow & { given_id: string }>(INSERT_ARCHIVE_PASSAGES, [
    organizationId,
    archiveId,
    JSON.stringify(passages),
    ...authorColumns(author),
  ])
  return rows.map(({ given_id, ...row }) => ({ ...row, isDuplicate: row.id !== given_id }))
}

const DELETE_ARCHIVE_PASSAGE = statement(
  'delete-archive-passage',
  `with deleted as (
    delete from passages as p where p.organization_id = $1 and p.archive_id = $2 and p.id = $3 returning p.id
  ), counted as (
    update archives as c set passage_count = c.passage_count - 1, updated_at = now()
    from deleted where c.organization_id = $1 and c.id = $2
  )
  select deleted.id from deleted`,
)

/** False when the archive has no such passage. */
export async function deleteArchivePassage(
  db: Queryable,
  organizationId: string,
  archiveId: string,
  passageId: string,
): Promise<boolean> {
  const rows = await db.query(DELETE_ARCHIVE_PASSAGE, [organizationId, archiveId, passageId])
  return rows.length > 0
}
