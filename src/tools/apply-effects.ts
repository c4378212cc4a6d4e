import { DEFAULT_BLOCK_LIMIT } from '#memory/block-rules.ts'
import { createBlock } from '#memory/create-block.ts'
import { insertPassage } from '#memory/insert-passage.ts'
import { attachBlockRow, detachBlockRow } from '#store/agents/agent-block-writer.ts'
import { setFileViews } from '#store/agents/agent-file-writer.ts'
import { findBlock } from '#store/blocks/block-reader.ts'
import { updateBlock } from '#store/blocks/block-writer.ts'
import type { Db, Queryable } from '#store/db.ts'
import type { MemoryEffect } from './tool.ts'

/** Whose memory, and who asked for the tool. */
interface EffectOwner {
  organizationId: string
  userId: string
  agentId: string
  toolName: string
}

/** Thrown to undo the transaction when a block is not what the tool read any more. */
class BlockChanged extends Error {}

/**
 * Applies the effects of a tool that a person runs outside of a run: all in one transaction, or none. In a run they are committed with
 * the call's result instead (`store/tool-calls/commit-tool-result.ts`).
 * @returns false when somebody changed a block meanwhile; then nothing was written
 */
export async function applyEffects(db: Db, owner: EffectOwner, effects: readonly MemoryEffect[]): Promise<boolean> {
  const [only] = effects
  // one statement of its own, which tries again when another first passage makes the archive
  if (only?.type === 'insert-passage' && effects.length === 1) {
    await insertPassage(db, owner, owner.agentId, { text: only.text, tags: only.tags })
    return true
  }
  try {
    await db.transaction(async (tx) => {
      for (const effect of effects) await applyEffect(tx, owner, effect)
    })
    return true
  } catch (error) {
    if (error instanceof BlockChanged) return false
    throw error
  }
}

async function applyEffect(tx: Queryable, owner: EffectOwner, effect: MemoryEffect): Promise<void> {
  const { organizationId, agentId, userId, toolName } = owner
  const author = { type: 'user', userId, toolName } as const
  switch (effect.type) {
    case 'update-block': {
      const { blockId, expectedVersion, label, value, description } = effect
      const block = await findBlock(tx, organizationId, blockId)
      const wanted = block && { ...block, version: expectedVersion, label, value, description }
      const written = wanted && (await updateBlock(tx, organizationId, wanted, author))
      if (written === undefined) throw new BlockChanged()
      return
    }
    case 'create-block': {
      const { label, value, description } = effect
      const input = { label, value, description, limit: DEFAULT_BLOCK_LIMIT }
      const block = await createBlock(tx, organizationId, input, author)
      return attachBlockRow(tx, organizationId, agentId, block.id)
    }
    case 'detach-block':
      await detachBlockRow(tx, organizationId, agentId, effect.blockId)
      return
    case 'insert-passage':
      await insertPassage(tx, owner, agentId, { text: effect.text, tags: effect.tags })
      return
    case 'view-files':
      await setFileViews(tx, organizationId, agentId, effect.views)
      return
    default:
      // a new kind of effect must be applied here too
      effect satisfies never
  }
}
