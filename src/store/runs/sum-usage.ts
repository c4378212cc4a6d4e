import { type Queryable, statement } from '#store/db.ts'
import type { RunUsage } from './run-row.ts'

/** Messages between agents go through so many at most (`agent/agent-messenger.ts`), and a few more if that figure is raised. */
const MAX_DEPTH = 10

const SUM_USAGE = statement(
  'sum-usage-of-run-tree',
  `
with recursive tree as (
  select r.id, r.usage, 0 as depth from runs as r where r.organization_id = $1 and r.id = $2
  union all
  select r.id, r.usage, tree.depth + 1 from tree
  join runs as r on r.organization_id = $1 and r.metadata ->> 'sent_by_run' = tree.id
  where tree.depth < ${MAX_DEPTH}
)
select count(*)::integer as runs,
  coalesce(sum((t.usage ->> 'prompt_tokens')::bigint), 0) as prompt_tokens,
  coalesce(sum((t.usage ->> 'completion_tokens')::bigint), 0) as completion_tokens,
  coalesce(sum((t.usage ->> 'total_tokens')::bigint), 0) as total_tokens,
  sum((t.usage ->> 'cached_input_tokens')::bigint) as cached_input_tokens,
  sum((t.usage ->> 'cache_write_tokens')::bigint) as cache_write_tokens,
  sum((t.usage ->> 'reasoning_tokens')::bigint) as reasoning_tokens
from tree as t`,
)

/** Tokens of a run and of all runs that it began, directly or through others, by sending messages to their agents. */
export async function sumUsageOfTree(
  db: Queryable,
  organizationId: string,
  runId: string,
): Promise<Omit<RunUsage, 'context_tokens'>> {
  const [row] = await db.query<Record<string, number | string | null>>(SUM_USAGE, [organizationId, runId])
  const number = (name: string) => Number(row?.[name] ?? 0)
  const known = (name: string) => (row?.[name] == null ? null : Number(row[name]))
  return {
    prompt_tokens: number('prompt_tokens'),
    completion_tokens: number('completion_tokens'),
    total_tokens: number('total_tokens'),
    cached_input_tokens: known('cached_input_tokens'),
    cache_write_tokens: known('cache_write_tokens'),
    reasoning_tokens: known('reasoning_tokens'),
  }
}
