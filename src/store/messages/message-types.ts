import { type RawBuilder, sql } from 'kysely'

/** Which stored messages have something of a type of the wire in them, as a condition on a message `m`. */
const CONDITIONS: Record<string, string> = {
  system_message: `m.role = 'system'`,
  user_message: `m.role in ('user', 'summary')`,
  assistant_message: `m.role = 'assistant' and (m.content @> '[{"type":"text"}]' or m.tool_calls @> '[{"name":"send_message"}]')`,
  reasoning_message: `m.role in ('assistant', 'approval') and m.content @> '[{"type":"reasoning"}]'`,
  hidden_reasoning_message: `m.role in ('assistant', 'approval') and m.content @> '[{"type":"redacted_reasoning"}]'`,
  tool_call_message: `m.role = 'assistant' and m.tool_calls is not null`,
  tool_return_message: `m.role = 'tool'`,
  approval_request_message: `(m.role = 'approval' or (m.role = 'assistant' and m.tool_calls is not null))`,
  approval_response_message: `m.role = 'approval'`,
  summary_message: `m.role = 'summary'`,
}

/** The condition that leaves out messages which show nothing of these types; undefined where every type is wanted. */
export function typeCondition(types: readonly string[] | null | undefined): RawBuilder<unknown> | undefined {
  if (types == null) return undefined
  const wanted = [...new Set(types)].toSorted().flatMap((type) => CONDITIONS[type] ?? [])
  return wanted.length === 0 ? sql`false` : sql.raw(`(${wanted.map((condition) => `(${condition})`).join(' or ')})`)
}

/** The condition that leaves out messages with nothing but successful results of a tool by which agents speak: clients are not shown them. */
export const withoutResultsOf = (tool: string | null | undefined): RawBuilder<unknown> | undefined =>
  tool == null
    ? undefined
    : sql`(m.role <> 'tool' or exists (select from jsonb_array_elements(m.tool_returns) as r
        where r ->> 'name' is distinct from ${tool} or r ->> 'status' is distinct from 'success'))`
