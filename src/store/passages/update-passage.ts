import { type Author, authorColumns } from '#store/author.ts'
import { type Queryable, statement } from '#store/db.ts'
import { CURRENT_VERSION_COLUMNS, type PassageRow, passageColumns } from './passage-row.ts'

export interface PassageUpdate {
  id: string
  /** The version that was read: compare and set. */
  version: number
  text: string
  /** Of a text that changes; null: it may say what another passage says. */
  factKey: string | null
  /** Null: stay as they are, also where a duplicate has just added some. */
  tags: readonly string[] | null
  /** Those that were read: compare and set, where they are replaced. */
  formerTags: readonly string[]
  metadata: Record<string, unknown> | null
}

// The version in the condition is compare-and-set, and so are the tags, which duplicates add without a version: rows of `passage_tags` that came while this waited
// for the passage would not be seen, and stay. What the passage was goes to its versions.
const UPDATE_PASSAGE = statement(
  'update-passage',
  `with old as (
    select p.* from passages as p where p.organization_id = $1 and p.id = $2 and p.version = $3
      and ($6::text[] is null or p.tags = $12::text[]) for update
  ), kept as (
    insert into passage_versions (organization_id, passage_id, version, text, tags, metadata, author_type, author_id, run_id, tool_name, created_at)
    select p.organization_id, p.id, ${CURRENT_VERSION_COLUMNS} from old as p
  ), updated as (
    update passages as p set text = $4, fact_key = case when old.text = $4 then old.fact_key else $5::uuid end,
      tags = coalesce($6::text[], old.tags), metadata = $7::jsonb, version = old.version + 1, version_created_at = now(), updated_at = now(),
      last_updated_by_id = $9, author_type = $8, author_id = $9, run_id = $10, tool_name = $11
    from old where p.organization_id = $1 and p.id = old.id
    returning ${passageColumns('p')}
  ), untagged as (
    delete from passage_tags as t using updated
    where t.organization_id = $1 and t.passage_id = updated.id and t.tag <> all(updated.tags)
  ), tagged as (
    insert into passage_tags (organization_id, archive_id, tag, passage_id)
    select $1, updated.archive_id, tag, updated.id from updated cross join lateral unnest(updated.tags) as tag
    on conflict do nothing
  )
  select * from updated`,
)

/**
 * Writes the passage as given over the version that was read, which is kept; undefined when that is not its version any more (or it is
 * gone). Throws a unique violation when its archive has another passage of the key.
 */
export async function updatePassage(
  db: Queryable,
  organizationId: string,
  { id, version, text, factKey, tags, formerTags, metadata }: PassageUpdate,
  author: Author,
): Promise<PassageRow | undefined> {
  const [row] = await db.query<PassageRow>(UPDATE_PASSAGE, [
    organizationId,
    id,
    version,
    text,
    factKey,
    tags,
    metadata === null ? null : JSON.stringify(metadata),
    ...authorColumns(author),
    formerTags,
  ])
  return row
}
