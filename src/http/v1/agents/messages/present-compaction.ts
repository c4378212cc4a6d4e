import type { CompactedContext } from '#agent/compact-thread.ts'

/** What a compaction that was asked for has done. */
export const presentCompaction = ({ summary, countBefore, countAfter }: CompactedContext) => ({
  summary,
  num_messages_before: countBefore,
  num_messages_after: countAfter,
})
