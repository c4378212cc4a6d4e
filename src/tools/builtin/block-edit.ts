import type { EditResult } from '#memory/edit-text.ts'
import type { ThreadBlock } from '#store/conversations/load-thread.ts'
import { failure, type MemoryEffect, success, type ToolContext, type ToolOutcome } from '#tools/tool.ts'

/** The block of a label, or the refusal that names the labels there are. */
export function findBlock(context: ToolContext, label: string): ThreadBlock | ToolOutcome {
  const block = context.blocks.find((candidate) => candidate.label === label)
  if (block !== undefined) return block
  const labels = context.blocks.map((candidate) => candidate.label).join(', ')
  return failure(`Memory block with label \`${label}\` does not exist. Existing blocks: ${labels || 'none'}.`)
}

export const isOutcome = (found: ThreadBlock | ToolOutcome): found is ToolOutcome => 'status' in found

/** Why this value may not be written to the block, or undefined. */
export function refuseWrite(block: ThreadBlock, value: string): string | undefined {
  if (block.read_only) return `Memory block \`${block.label}\` is read-only and cannot be edited.`
  if (value.length > block.char_limit) {
    return `The edit was not made: memory block \`${block.label}\` would have ${value.length} characters, its limit is ${block.char_limit}. Shorten it first.`
  }
  return undefined
}

export function updateEffect(block: ThreadBlock, value: string): Extract<MemoryEffect, { type: 'update-block' }> {
  return {
    type: 'update-block',
    blockId: block.id,
    expectedVersion: block.version,
    label: block.label,
    value,
    description: block.description,
  }
}

/** Runs one edit on one block and answers with the new value, or with what stands in the way. */
export function editBlock(context: ToolContext, label: string, edit: (value: string) => EditResult): ToolOutcome {
  const block = findBlock(context, label)
  if (isOutcome(block)) return block
  const result = edit(block.value)
  if (!result.ok) return failure(result.problem)
  const refusal = refuseWrite(block, result.value)
  if (refusal !== undefined) return failure(refusal)
  return success(result.value, [updateEffect(block, result.value)])
}
