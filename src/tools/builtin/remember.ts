import { factKey } from '#memory/fact-key.ts'
import { findKnownFacts } from '#store/passages/find-known-facts.ts'
import type { PassageRow } from '#store/passages/passage-row.ts'
import type { MemoryEffect, ToolContext } from '#tools/tool.ts'

/** What is to be remembered, as effects, and which passages say it already. The commit recognises them again: somebody may be faster. */
export async function remember(
  { db, organizationId, agentId }: Pick<ToolContext, 'db' | 'organizationId' | 'agentId'>,
  passages: readonly { text: string; tags: string[] }[],
): Promise<{ effects: MemoryEffect[]; known: PassageRow[] }> {
  const keys = passages.map(({ text }) => factKey(text))
  const known = await findKnownFacts(db, organizationId, agentId, keys)
  return { effects: passages.map((passage) => ({ type: 'insert-passage', ...passage })), known }
}
