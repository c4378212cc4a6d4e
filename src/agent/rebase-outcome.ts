import { mergeLines } from '#memory/merge-lines.ts'
import type { ThreadBlock } from '#store/conversations/load-thread.ts'
import type { MemoryEffect, ToolOutcome } from '#tools/tool.ts'

type BlockEdit = Extract<MemoryEffect, { type: 'update-block' }>

/**
 * The outcome of a call that cannot be executed again, for blocks that are other than it knew them. What it changed is changed in what is there
 * now; where somebody else changed the same lines, those stay as that one wanted them, and the outcome says so.
 */
export function rebaseOutcome(
  outcome: ToolOutcome,
  before: readonly ThreadBlock[],
  now: readonly ThreadBlock[],
): ToolOutcome {
  const lost: string[] = []
  const effects = (outcome.effects ?? []).flatMap((effect): MemoryEffect[] => {
    if (effect.type !== 'update-block') return [effect]
    const ofBlock = (block: ThreadBlock) => block.id === effect.blockId
    const rebased = rebaseEdit(effect, before.find(ofBlock), now.find(ofBlock))
    if (rebased === undefined) lost.push(effect.label)
    return rebased === undefined ? [] : [rebased]
  })
  const notes = lost.map(
    (label) =>
      `\n[NOTE: Somebody else changed memory block \`${label}\` while the tool ran, so what the tool made of it was not stored.]`,
  )
  return { ...outcome, text: `${outcome.text}${notes.join('')}`, effects }
}

function rebaseEdit(
  edit: BlockEdit,
  known: ThreadBlock | undefined,
  current: ThreadBlock | undefined,
): BlockEdit | undefined {
  if (known === undefined || current === undefined || current.read_only) return undefined
  // a name that somebody else gave it stays, unless the tool gives it one
  const label = edit.label === known.label ? current.label : edit.label
  const description = edit.description === known.description ? current.description : edit.description
  const value = mergeLines(known.value, current.value, edit.value)
  if (value === undefined || value.length > current.char_limit) return undefined
  return { ...edit, expectedVersion: current.version, label, description, value }
}
