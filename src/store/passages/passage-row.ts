import type { PassagesTable } from '#store/tables.ts'

const COLUMN_NAMES = [
  'id',
  'archive_id',
  'text',
  'tags',
  'metadata',
  'version',
  'created_by_id',
  'last_updated_by_id',
  'created_at',
  'updated_at',
] as const

/** A passage as read. */
export type PassageRow = Pick<PassagesTable, (typeof COLUMN_NAMES)[number]>

export const passageColumns = (alias: string): string => COLUMN_NAMES.map((name) => `${alias}.${name}`).join(', ')

/**
 * What becomes of a passage that says what another one of its archive says (`fact_key`): it is not stored, and the tags that it brings are
 * added to the one that is there, by whose id it is told. `p` is the alias of the table.
 */
export const ON_SAME_FACT = `on conflict (organization_id, archive_id, fact_key) where fact_key is not null do update set
    tags = p.tags || array(select u.tag from unnest(excluded.tags) with ordinality as u (tag, position)
      where u.tag <> all(p.tags) order by u.position),
    updated_at = case when excluded.tags <@ p.tags then p.updated_at else now() end,
    repeat_count = p.repeat_count + 1, repeated_at = now()`

/** The newest version of passage `p`, as `passage_versions` has those before: version, text, tags, metadata, author, time. */
export const CURRENT_VERSION_COLUMNS = `p.version, p.text, p.tags, p.metadata,
    coalesce(p.author_type, case when coalesce(p.last_updated_by_id, p.created_by_id) like 'agent-%' then 'agent' else 'user' end),
    case when p.author_type is null then coalesce(p.last_updated_by_id, p.created_by_id) else p.author_id end,
    p.run_id, p.tool_name, coalesce(p.version_created_at, p.created_at)`
