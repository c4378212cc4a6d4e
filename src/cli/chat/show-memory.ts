import type { Api } from './api.ts'
import { diffLines } from './diff-lines.ts'
import type { Screen } from './screen.ts'
import type { Agent, Block } from './wire.ts'

export function readBlocks(api: Api, agent: Agent): Promise<Block[]> {
  return api.get<Block[]>(`/v1/agents/${agent.id}/core-memory/blocks?limit=100`)
}

/** Every block with its text. */
export function showBlocks(screen: Screen, blocks: readonly Block[]): void {
  if (blocks.length === 0) screen.note('This agent has no memory blocks.')
  for (const block of blocks) {
    const title = `${block.label} (${block.value.length} of ${block.limit} characters${block.read_only ? ', read-only' : ''})`
    const text = block.value === '' ? '(empty)' : block.value
    screen.note(title, 'bold')
    screen.note(text.replace(/^/gm, '  '))
  }
}

/** The lines that changed from one reading of the memory to the next. */
export function showMemoryChanges(screen: Screen, before: readonly Block[], after: readonly Block[]): void {
  for (const label of new Set([...before, ...after].map((block) => block.label))) {
    const old = before.find((block) => block.label === label)
    const now = after.find((block) => block.label === label)
    if (old?.value === now?.value) continue
    const fate = old === undefined ? ' (new)' : now === undefined ? ' (taken out)' : ''
    screen.note(`  memory: ${label}${fate}`, 'bold')
    for (const { type, line } of diffLines(old?.value ?? '', now?.value ?? '')) {
      if (type === 'added') screen.note(`  + ${line}`, 'green')
      else screen.note(`  - ${line}`, 'red')
    }
  }
}
