import { attachedAt } from '#store/agents/attached-at.ts'
import { type Author, authorColumns } from '#store/author.ts'
import { type Queryable, statement } from '#store/db.ts'
import { type BlockRow, blockColumns } from './block-row.ts'

/** A block that is not stored yet; the names are the columns' names. */
export interface BlockToInsert {
  id: string
  label: string
  value: string
  char_limit: number
  description: string | null
  read_only: boolean
  metadata: Record<string, unknown> | null
  tags: readonly string[]
  is_template: boolean
  template_name: string | null
  template_id: string | null
  base_template_id: string | null
  deployment_id: string | null
  entity_id: string | null
  preserve_on_migration: boolean | null
  project_id: string | null
  hidden: boolean | null
}

// a time of its own for each: blocks that come in one statement keep their order in lists by created_at, also on PGlite
const INSERT_BLOCKS = statement(
  'insert-blocks',
  `with given as (
    select item.position, n.* from jsonb_array_elements($2::jsonb) with ordinality as item (value, position)
    cross join lateral jsonb_to_record(item.value) as n (id text, project_id text, label text, value text, char_limit integer,
      description text, read_only boolean, metadata jsonb, is_template boolean, template_name text, template_id text,
      base_template_id text, deployment_id text, entity_id text, preserve_on_migration boolean, hidden boolean, tags text[])
  ), inserted as (
    insert into blocks as b (organization_id, id, project_id, label, value, char_limit, description, read_only, metadata,
      is_template, template_name, template_id, base_template_id, deployment_id, entity_id, preserve_on_migration, hidden,
      created_by_id, last_updated_by_id, created_at)
    select $1, id, project_id, label, value, char_limit, description, read_only, metadata, is_template, template_name,
      template_id, base_template_id, deployment_id, entity_id, preserve_on_migration, hidden, $3, $3, ${attachedAt('given.position')}
    from given order by position
    returning ${blockColumns('b')}
  ), tagged as (
    insert into block_tags (organization_id, block_id, tag)
    select distinct $1, given.id, tag from given cross join lateral unnest(given.tags) as tag
  ), versioned as (
    insert into block_versions (organization_id, block_id, version, label, description, value, author_type, author_id, run_id, tool_name)
    select $1, id, version, label, description, value, $4, $5, $6, $7 from inserted
  )
  select inserted.*, array(select tag from unnest(given.tags) as tag order by tag) as tags
  from inserted join given on given.id = inserted.id order by given.position`,
)

/** Stores blocks, each with its tags and its first version, in one statement; gives them back in the same order. */
export async function insertBlocks(
  db: Queryable,
  organizationId: string,
  blocks: readonly BlockToInsert[],
  author: Author,
): Promise<BlockRow[]> {
  const [authorType, authorId, runId, toolName] = authorColumns(author)
  const createdBy = author.type === 'user' ? author.userId : null
  return db.query<BlockRow>(INSERT_BLOCKS, [
    organizationId,
    JSON.stringify(blocks),
    createdBy,
    authorType,
    authorId,
    runId,
    toolName,
  ])
}

// The version in the condition is compare-and-set; renaming the label renames it in agent_blocks, by its foreign key.
const UPDATE_BLOCK = statement(
  'update-block',
  `with updated as (
    update blocks as b set project_id = n.project_id, label = n.label, value = n.value, char_limit = n.char_limit,
      description = n.description, read_only = n.read_only, metadata = n.metadata, is_template = n.is_template,
      template_name = n.template_name, template_id = n.template_id, base_template_id = n.base_template_id,
      deployment_id = n.deployment_id, entity_id = n.entity_id, preserve_on_migration = n.preserve_on_migration,
      hidden = n.hidden, version = b.version + 1, updated_at = now(), last_updated_by_id = coalesce($5, b.last_updated_by_id)
    from jsonb_to_record($4::jsonb) as n (project_id text, label text, value text, char_limit integer, description text,
      read_only boolean, metadata jsonb, is_template boolean, template_name text, template_id text, base_template_id text,
      deployment_id text, entity_id text, preserve_on_migration boolean, hidden boolean)
    where b.organization_id = $1 and b.id = $2 and b.version = $3
    returning ${blockColumns('b')}
  ), untagged as (
    delete from block_tags as t using updated
    where t.organization_id = $1 and t.block_id = updated.id and t.tag <> all($10::text[])
  ), tagged as (
    insert into block_tags (organization_id, block_id, tag)
    select $1, updated.id, tag from updated cross join lateral unnest($10::text[]) as tag
    on conflict do nothing
  ), versioned as (
    insert into block_versions (organization_id, block_id, version, label, description, value, author_type, author_id, run_id, tool_name)
    select $1, id, version, label, description, value, $6, $7, $8, $9 from updated
  )
  select updated.*, array(select tag from unnest($10::text[]) as tag order by tag) as tags from updated`,
)

/**
 * Writes the block as given over version `block.version`, and its next version; undefined when that is not its version any
 * more (or it is gone). Throws a unique violation when one of its agents has another block of this label.
 */
export async function updateBlock(
  db: Queryable,
  organizationId: string,
  block: BlockRow,
  author: Author,
): Promise<BlockRow | undefined> {
  const [authorType, authorId, runId, toolName] = authorColumns(author)
  const updatedBy = author.type === 'user' ? author.userId : null
  const [row] = await db.query<BlockRow>(UPDATE_BLOCK, [
    organizationId,
    block.id,
    block.version,
    JSON.stringify(block),
    updatedBy,
    authorType,
    authorId,
    runId,
    toolName,
    [...new Set(block.tags)],
  ])
  return row
}

const DELETE_BLOCK = statement('delete-block', 'delete from blocks where organization_id = $1 and id = $2 returning id')

/** Deletes the block with its versions, and from all agents. False when there is none. */
export async function deleteBlock(db: Queryable, organizationId: string, blockId: string): Promise<boolean> {
  const rows = await db.query(DELETE_BLOCK, [organizationId, blockId])
  return rows.length > 0
}
