import type { ThreadBlock } from '#store/conversations/load-thread.ts'
import type { MemoryEffect, ToolOutcome } from '#tools/tool.ts'

/**
 * The outcome of a call that cannot be executed again, for blocks that are other than it knew them: what somebody else has changed stays
 * as that one wanted it, and the outcome says so.
 */
export function rebaseOutcome(
  outcome: ToolOutcome,
  before: readonly ThreadBlock[],
  now: readonly ThreadBlock[],
): ToolOutcome {
  const lost: string[] = []
  const effects = (outcome.effects ?? []).flatMap((effect): MemoryEffect[] => {
    if (effect.type !== 'update-block') return [effect]
    const known = before.find((block) => block.id === effect.blockId)
    const current = now.find((block) => block.id === effect.blockId)
    if (current !== undefined && current.value === known?.value) {
      return [{ ...effect, expectedVersion: current.version }]
    }
    lost.push(effect.label)
    return []
  })
  const notes = lost.map(
    (label) =>
      `\n[NOTE: Somebody else changed memory block \`${label}\` while the tool ran, so what the tool made of it was not stored.]`,
  )
  return { ...outcome, text: `${outcome.text}${notes.join('')}`, effects }
}
