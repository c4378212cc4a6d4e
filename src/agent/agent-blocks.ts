import { conflict, type DomainError, notFound } from '#platform/errors.ts'
import { listBlocksById } from '#store/agents/agent-block-reader.ts'
import type { BlockRow } from '#store/blocks/block-row.ts'
import type { Queryable } from '#store/db.ts'

/** The blocks of these ids in this order, each once. Throws not_found. */
export async function resolveBlocks(
  db: Queryable,
  organizationId: string,
  ids: readonly string[],
): Promise<BlockRow[]> {
  if (ids.length === 0) return []
  const unique = [...new Set(ids)]
  const byId = new Map((await listBlocksById(db, organizationId, unique)).map((block) => [block.id, block]))
  const unknown = unique.filter((id) => !byId.has(id))
  if (unknown.length > 0) throw notFound(`Blocks not found: there are no blocks with the ids ${unknown.join(', ')}.`)
  return unique.flatMap((id) => byId.get(id) ?? [])
}

/** What two blocks of one label on an agent are answered with. */
export const duplicateLabel = (label?: string): DomainError =>
  conflict(
    `CONFLICT: an agent cannot have two memory blocks of one label${label === undefined ? '' : ` ('${label}')`}. Rename one of them.`,
    { canRetry: false },
  )

/** Throws conflict where two of the labels are the same. */
export function checkLabels(labels: readonly string[]): void {
  const twice = labels.find((label, index) => labels.indexOf(label) !== index)
  if (twice !== undefined) throw duplicateLabel(twice)
}
