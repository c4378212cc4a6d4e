import { isDeepStrictEqual } from 'node:util'
import { conflict, notFound } from '#platform/errors.ts'
import type { Author } from '#store/author.ts'
import { findBlock } from '#store/blocks/block-reader.ts'
import type { BlockRow } from '#store/blocks/block-row.ts'
import { updateBlock } from '#store/blocks/block-writer.ts'
import { isUniqueViolation } from '#store/database-error.ts'
import type { Queryable } from '#store/db.ts'
import { checkBlockLabel, checkBlockValue, DEFAULT_BLOCK_LIMIT, type NewBlockInput } from './block-rules.ts'
import { checkVersion } from './check-version.ts'
import { retryConflicts } from './retry-conflicts.ts'

/** What to change: undefined leaves a field as it is, null clears it (a limit goes back to the default). */
export type BlockChange = { [Field in keyof NewBlockInput]?: NewBlockInput[Field] | null | undefined } & {
  /** The version that the change was made for. */
  expected_version?: number | null | undefined
}

/**
 * Changes a block and records the new version with its author. Writers of the same block wait for nobody: each compares the
 * version it read, and reads again when another was faster. A change that depends on what is there is a function, which is asked for each read.
 * Throws not_found; unprocessable when the result breaks the rules; conflict when an agent has another block of the label, and when the block is
 * not at the version expected.
 */
export async function modifyBlock(
  db: Queryable,
  organizationId: string,
  blockId: string,
  change: BlockChange | ((block: BlockRow) => BlockChange),
  author: Author,
): Promise<BlockRow> {
  return retryConflicts(`Block ${blockId}`, async () => {
    const block = await findBlock(db, organizationId, blockId)
    if (block === undefined) throw notFound(`Block ${blockId} was not found.`)
    const wanted = typeof change === 'function' ? change(block) : change
    checkVersion(`Block ${blockId}`, block.version, wanted.expected_version)
    const changed = applyChange(block, wanted)
    return isDeepStrictEqual(changed, block) ? block : write(db, organizationId, changed, author)
  })
}

async function write(
  db: Queryable,
  organizationId: string,
  block: BlockRow,
  author: Author,
): Promise<BlockRow | undefined> {
  try {
    return await updateBlock(db, organizationId, block, author)
  } catch (error) {
    if (!isUniqueViolation(error)) throw error
    throw conflict(
      `An agent that block ${block.id} is attached to has another block labelled \`${block.label}\`. Choose another label, or detach one of them.`,
      { canRetry: false },
    )
  }
}

function applyChange(block: BlockRow, change: BlockChange): BlockRow {
  const wanted: BlockRow = {
    ...block,
    ...clearable(block, change),
    // V1's clients send null for what stays as it is, and a block cannot be without these two
    label: change.label ?? block.label,
    value: change.value ?? block.value,
    char_limit: change.limit === null ? DEFAULT_BLOCK_LIMIT : (change.limit ?? block.char_limit),
    read_only: kept(change.read_only, block.read_only) ?? false,
    is_template: kept(change.is_template, block.is_template) ?? false,
    metadata: kept(change.metadata, block.metadata) ?? {},
    tags: [...new Set(kept(change.tags, block.tags) ?? [])].sort(),
  }
  if (wanted.label !== block.label) checkBlockLabel(wanted.label)
  if (wanted.value !== block.value || wanted.char_limit !== block.char_limit) {
    checkBlockValue(wanted.label, wanted.value, wanted.char_limit)
  }
  return wanted
}

function clearable(block: BlockRow, change: BlockChange) {
  return {
    description: kept(change.description, block.description),
    project_id: kept(change.project_id, block.project_id),
    template_name: kept(change.template_name, block.template_name),
    template_id: kept(change.template_id, block.template_id),
    base_template_id: kept(change.base_template_id, block.base_template_id),
    deployment_id: kept(change.deployment_id, block.deployment_id),
    entity_id: kept(change.entity_id, block.entity_id),
    preserve_on_migration: kept(change.preserve_on_migration, block.preserve_on_migration),
    hidden: kept(change.hidden, block.hidden),
  }
}

const kept = <Value>(wanted: Value | undefined, current: Value): Value => (wanted === undefined ? current : wanted)
