import { DEFAULT_ORGANIZATION_ID } from '#platform/ids.ts'
import { type Db, statement } from '#store/db.ts'
import type { EventBatch } from '#store/run-events/event-batch.ts'
import type { RunStatus } from '#store/runs/run-row.ts'

export interface SeedState {
  runs: {
    id: string
    agent_id: string
    status: RunStatus
    stop_reason: string | null
    step_count: number
    lease_token: number
    is_cancel_requested: boolean
    error: { type: string } | null
  }[]
  messages: {
    id: string
    agent_id: string
    run_id: string | null
    role: string
    step_id: string | null
    content: { type: string; text?: string }[]
    tool_calls: { tool_call_id: string; name: string; arguments: string }[] | null
    tool_returns: { tool_call_id: string; status: string }[] | null
  }[]
  tool_calls: {
    run_id: string
    step_id: string
    tool_call_id: string
    tool_name: string
    arguments: string
    result: { status: string } | null
  }[]
  steps: { id: string; run_id: string; status: string; step_index: number }[]
  provider_calls: { run_id: string; step_id: string; status: string; input_tokens: number }[]
  events: (EventBatch & { run_id: string })[]
  blocks: { id: string; value: string; version: number }[]
  passages: { text: string }[]
}

const list = (columns: string, from: string, order: string) =>
  `(select coalesce(json_agg(x), '[]') from (select ${columns} from ${from} order by ${order}) as x)`

const OURS = 'organization_id = $1 and agent_id = any($2::text[])'

const read = statement(
  'sim-read-seed-state',
  `select
  ${list('id, agent_id, status, stop_reason, step_count, lease_token, cancel_requested_at is not null as is_cancel_requested, error', `runs where ${OURS}`, 'queue_seq')} as runs,
  ${list('id, agent_id, run_id, role, step_id, content, tool_calls, tool_returns', `messages where ${OURS}`, 'seq')} as messages,
  ${list('run_id, step_id, tool_call_id, tool_name, arguments, result', `tool_calls where ${OURS}`, 'run_id, step_id, position')} as tool_calls,
  ${list('id, run_id, status, step_index', `steps where ${OURS}`, 'run_id, step_index')} as steps,
  ${list('run_id, step_id, status, input_tokens', `provider_calls where ${OURS}`, 'run_id')} as provider_calls,
  ${list('e.run_id, e.first_seq, e.last_seq, e.events', `run_events as e join runs as r on r.organization_id = e.organization_id and r.id = e.run_id where r.organization_id = $1 and r.agent_id = any($2::text[])`, 'e.run_id, e.first_seq')} as events,
  ${list('b.id, b.value, b.version', `blocks as b where b.organization_id = $1 and b.label = 'human' and b.id in (select ab.block_id from agent_blocks as ab where ab.organization_id = $1 and ab.agent_id = any($2::text[]))`, 'b.id')} as blocks,
  ${list('p.text', `passages as p join agent_archives as aa on aa.organization_id = p.organization_id and aa.archive_id = p.archive_id where aa.organization_id = $1 and aa.agent_id = any($2::text[])`, 'p.id')} as passages`,
)

/** Everything that the database has of these agents. */
export async function readSeedState(db: Db, agentIds: readonly string[]): Promise<SeedState> {
  const [state] = await db.query<SeedState>(read, [DEFAULT_ORGANIZATION_ID, agentIds])
  if (state === undefined) throw new Error('the state of the seed could not be read')
  return state
}
