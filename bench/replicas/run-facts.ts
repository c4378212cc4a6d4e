import { DEFAULT_ORGANIZATION_ID } from '#platform/ids.ts'
import { type Db, statement } from '#store/db.ts'
import { markerOf } from './task.ts'

/** What the database says of a run that has ended. */
export interface RunFacts {
  id: string
  status: string
  lease_token: number
  /** Rows of `steps`, and the different step indexes among them. */
  steps: number
  distinct_steps: number
  /** Rows of the ledger, and of the different steps that they are of. */
  ledger: number
  ledger_steps: number
  /** Text of the assistant's messages, by id. */
  texts: Record<string, string>
  memory: string
}

const facts = statement(
  'bench-run-facts',
  `select r.id, r.status, r.lease_token,
     (select count(*)::integer from steps as s where s.organization_id = $1 and s.run_id = r.id) as steps,
     (select count(distinct s.step_index)::integer from steps as s where s.organization_id = $1 and s.run_id = r.id) as distinct_steps,
     (select count(*)::integer from provider_calls as p where p.organization_id = $1 and p.run_id = r.id) as ledger,
     (select count(distinct p.step_id)::integer from provider_calls as p where p.organization_id = $1 and p.run_id = r.id) as ledger_steps,
     (select coalesce(jsonb_object_agg(m.id, (select string_agg(part ->> 'text', '') from jsonb_array_elements(m.content) as part)), '{}')
      from messages as m where m.organization_id = $1 and m.run_id = r.id and m.role = 'assistant') as texts,
     (select b.value from agent_blocks as ab join blocks as b on b.organization_id = ab.organization_id and b.id = ab.block_id
      where ab.organization_id = $1 and ab.agent_id = r.agent_id and ab.label = 'human') as memory
   from runs as r where r.organization_id = $1 and r.id = any ($2::text[])`,
)

export async function readRunFacts(db: Db, runIds: readonly string[]): Promise<Map<string, RunFacts>> {
  const rows = await db.query<RunFacts>(facts, [DEFAULT_ORGANIZATION_ID, runIds])
  return new Map(rows.map((row) => [row.id, row]))
}

/** How often the effects of the task's tool calls are missing from the memory, and how often there are too many. */
export function countEffects(memory: string, key: string, steps: number): { missing: number; doubled: number } {
  let [missing, doubled] = [0, 0]
  for (let step = 0; step < steps - 1; step += 1) {
    const times = memory.split(markerOf(key, step)).length - 1
    if (times === 0) missing += 1
    else doubled += times - 1
  }
  return { missing, doubled }
}

const active = statement(
  'bench-active-runs',
  `select r.id, r.lease_owner, r.lease_token from runs as r where r.organization_id = $1 and r.status = 'running'`,
)

export interface ActiveRun {
  id: string
  lease_owner: string
  lease_token: number
}

export const listActiveRuns = (db: Db): Promise<ActiveRun[]> => db.query<ActiveRun>(active, [DEFAULT_ORGANIZATION_ID])

const sleeping = statement(
  'bench-idle-in-transaction',
  `select count(*)::integer as count from pg_stat_activity as a
   where a.datname = current_database() and a.state like 'idle in transaction%'`,
)

export async function countIdleInTransaction(db: Db): Promise<number> {
  const [row] = await db.query<{ count: number }>(sleeping)
  return row?.count ?? 0
}
