import { type Queryable, statement } from '#store/db.ts'

/** The id of a companion's run, as SQL: always the same for the run that it follows and the companion. A UUID's layout, of md5. */
const companionRunId = (mainRunId: string, agentId: string): string =>
  `'run-' || overlay(overlay(md5(${mainRunId} || ' ' || ${agentId}) placing '8' from 13 for 1) placing 'a' from 17 for 1)::uuid`

/**
 * The common table expressions that count a turn of an agent and store which runs of its companions are due after it, in the very
 * statement that ends the turn: `turned` and `due`, of which the latter has the ids of the runs.
 * @param held relation that has a row only where the lease is held
 */
export function companionTurn(
  held: string,
  given: Record<'organizationId' | 'runId' | 'agentId' | 'status', string>,
): string {
  return `turned as (
  update groups as g set turns_counter = coalesce(g.turns_counter, 0) + 1
  from ${held} cross join agents as m
  where ${given.status} = 'completed' and g.organization_id = ${given.organizationId} and g.manager_agent_id = ${given.agentId} and g.manager_type = 'sleeptime'
    and m.organization_id = ${given.organizationId} and m.id = ${given.agentId} and m.enable_sleeptime
  returning g.id, g.turns_counter, g.sleeptime_agent_frequency
), due as (
  insert into companion_runs (organization_id, main_run_id, agent_id, id, group_id)
  select ${given.organizationId}, ${given.runId}, ga.agent_id, ${companionRunId(given.runId, 'ga.agent_id')}, turned.id from turned
  join group_agents as ga on ga.organization_id = ${given.organizationId} and ga.group_id = turned.id
  where turned.sleeptime_agent_frequency is null or turned.turns_counter % turned.sleeptime_agent_frequency = 0
  on conflict do nothing
  returning id
)`
}

/** Ids of the runs that follow a run, as a column of the select list. */
export const companionRunIdsColumn = (run: string): string =>
  `array(select cr.id from companion_runs as cr
    where cr.organization_id = ${run}.organization_id and cr.main_run_id = ${run}.id order by cr.agent_id) as companion_run_ids`

/** Companions that are to work after a run of the agent that they are behind. */
export interface DueCompanions {
  organization_id: string
  main_run_id: string
  group_id: string
  main_agent_id: string
  /** Where the transcript begins: after this message; from the beginning where it is null. */
  last_processed_message_id: string | null
  user_id: string | null
  runs: { id: string; agent_id: string }[]
}

// the oldest of each group only: what one is given begins where the one before has ended
const CLAIM = statement(
  'claim-companion-runs',
  `with due as (
    select c.organization_id, c.main_run_id, c.agent_id from companion_runs as c
    where c.started_at is null and (c.claimed_until is null or c.claimed_until < now())
      and not exists (select from companion_runs as o where o.organization_id = c.organization_id and o.group_id = c.group_id
        and o.started_at is null and o.due_at < c.due_at and o.main_run_id <> c.main_run_id)
    order by c.due_at limit $1
    for update of c skip locked
  ), claimed as (
    update companion_runs as c set claimed_until = now() + $2::integer * interval '1 millisecond'
    from due where c.organization_id = due.organization_id and c.main_run_id = due.main_run_id and c.agent_id = due.agent_id
    returning c.organization_id, c.main_run_id, c.agent_id, c.id, c.group_id
  )
  select c.organization_id, c.main_run_id, c.group_id, g.manager_agent_id as main_agent_id, g.last_processed_message_id,
    (select r.created_by_id from runs as r where r.organization_id = c.organization_id and r.id = c.main_run_id) as user_id,
    jsonb_agg(jsonb_build_object('id', c.id, 'agent_id', c.agent_id)) as runs
  from claimed as c join groups as g on g.organization_id = c.organization_id and g.id = c.group_id
  group by 1, 2, 3, 4, 5, 6`,
)

/** Takes what is due, longest due first, each for one process only; of all tenants. A claim whose process dies is over by itself. */
export function claimCompanionRuns(db: Queryable, limit: number, leaseMs: number): Promise<DueCompanions[]> {
  return db.query<DueCompanions>(CLAIM, [limit, leaseMs])
}

const FINISH = statement(
  'finish-companion-runs',
  `with started as (
    update companion_runs set started_at = now()
    where organization_id = $1 and main_run_id = $2 and id = any($3::text[]) and started_at is null
  )
  update groups set last_processed_message_id = coalesce($5, last_processed_message_id)
  where organization_id = $1 and id = $4`,
)

/** The runs are accepted: the next transcript begins after `lastMessageId`. */
export async function finishCompanionRuns(
  db: Queryable,
  due: Pick<DueCompanions, 'organization_id' | 'main_run_id' | 'group_id' | 'runs'>,
  lastMessageId: string | null,
): Promise<void> {
  const ids = due.runs.map((run) => run.id)
  await db.query(FINISH, [due.organization_id, due.main_run_id, ids, due.group_id, lastMessageId])
}

const PRUNE = statement(
  'prune-companion-runs',
  `with old as (
    select c.organization_id, c.main_run_id, c.agent_id from companion_runs as c
    where c.started_at < now() - $1::bigint * interval '1 millisecond' limit $2
  )
  delete from companion_runs as c using old
  where c.organization_id = old.organization_id and c.main_run_id = old.main_run_id and c.agent_id = old.agent_id
  returning c.id`,
)

/** Forgets those that started so long ago; gives how many. */
export async function pruneCompanionRuns(db: Queryable, keptMs: number, limit: number): Promise<number> {
  return (await db.query(PRUNE, [keptMs, limit])).length
}

// whatever a label of theirs stands for already stays what it is
const SHARE = statement(
  'share-blocks-with-companions',
  `insert into agent_blocks (organization_id, agent_id, block_id, label)
   select $1, a.id, ab.block_id, ab.label from agents as a
   cross join (select b.block_id, b.label from agent_blocks as b where b.organization_id = $1 and b.agent_id = $2) as ab
   where a.organization_id = $1 and a.id = any($3::text[])
   on conflict do nothing`,
)

/** Gives companions the blocks that the main agent has got since, by whatever way. */
export async function shareBlocksWithCompanions(db: Queryable, due: DueCompanions): Promise<void> {
  const companions = due.runs.map((run) => run.agent_id)
  await db.query(SHARE, [due.organization_id, due.main_agent_id, companions])
}

const LAST_SEQ = statement(
  'find-last-seq-of-run',
  'select max(m.seq) as seq from messages as m where m.organization_id = $1 and m.run_id = $2',
)

/** Position of the last message of the run; undefined where it has none any more. */
export async function findLastSeqOfRun(
  db: Queryable,
  organizationId: string,
  runId: string,
): Promise<number | undefined> {
  const [row] = await db.query<{ seq: number | null }>(LAST_SEQ, [organizationId, runId])
  return row?.seq ?? undefined
}
