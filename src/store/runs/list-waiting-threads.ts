import { type Queryable, statement } from '#store/db.ts'

/** Tenants that one look sees; the next look goes on behind the last of them. */
const TENANTS_PER_LOOK = 64
/** Of each tenant: its oldest runs of either kind, and as many threads, that one look sees. */
const RUNS_PER_TENANT = 32

/**
 * What waits for room: for each tenant the threads that have queued runs and none that is active. The price is bounded whatever
 * waits: every step of the recursions is one probe of an index.
 *   tenants  those that have runs waiting, from a cursor on
 *   oldest   the tenant's oldest runs, those that somebody waits for (runs_waiting) and those in the background
 *   swept    its threads, from a cursor on (runs_queued): where the oldest all wait behind each other in a few busy threads,
 *            the others are found here, in one of the next looks
 */
const list = statement(
  'list-waiting-threads',
  `
with recursive tenants (organization_id, n) as (
  (select r.organization_id, 1 from runs as r where r.status = 'created' and r.organization_id > $1
    order by r.organization_id limit 1)
  union all
  select next.organization_id, t.n + 1 from tenants as t cross join lateral (
    select r.organization_id from runs as r where r.status = 'created' and r.organization_id > t.organization_id
    order by r.organization_id limit 1) as next
  where t.n < ${TENANTS_PER_LOOK}
)
select t.organization_id, t.n = ${TENANTS_PER_LOOK} as is_last_of_look, found.swept_to, found.threads
from tenants as t cross join lateral (
  with recursive swept (conversation_id, background, queue_seq, n) as (
    (select r.conversation_id, r.background, r.queue_seq, 1 from runs as r
      where r.organization_id = t.organization_id and r.status = 'created'
        and r.conversation_id > coalesce($2::jsonb ->> t.organization_id, '')
      order by r.conversation_id, r.queue_seq limit 1)
    union all
    select next.conversation_id, next.background, next.queue_seq, s.n + 1 from swept as s cross join lateral (
      select r.conversation_id, r.background, r.queue_seq from runs as r
      where r.organization_id = t.organization_id and r.status = 'created' and r.conversation_id > s.conversation_id
      order by r.conversation_id, r.queue_seq limit 1) as next
    where s.n < ${RUNS_PER_TENANT}
  ), seen as (
    (select r.conversation_id, r.background, r.queue_seq from runs as r
      where r.organization_id = t.organization_id and r.status = 'created' and r.background = false
      order by r.queue_seq limit ${RUNS_PER_TENANT})
    union all
    (select r.conversation_id, r.background, r.queue_seq from runs as r
      where r.organization_id = t.organization_id and r.status = 'created' and r.background = true
      order by r.queue_seq limit ${RUNS_PER_TENANT})
    union all
    select conversation_id, background, queue_seq from swept
  ), heads as (
    select distinct on (conversation_id) conversation_id, background, queue_seq from seen order by conversation_id, queue_seq
  )
  select (select max(s.conversation_id) from swept as s where s.n = ${RUNS_PER_TENANT}) as swept_to,
    (select coalesce(jsonb_agg(jsonb_build_object('conversation_id', h.conversation_id, 'background', h.background,
        'queue_seq', h.queue_seq)), '[]')
      from heads as h join conversations as c on c.organization_id = t.organization_id and c.id = h.conversation_id
      where c.active_run_id is null and c.deleted_at is null) as threads
) as found`,
)

// not hot: once a second while anything waits
const count = statement(
  'count-waiting-runs',
  `select r.organization_id, count(*)::integer as waiting from runs as r where r.status = 'created' group by r.organization_id`,
)

/** A thread that could go on at once, and the oldest run that waits in it. */
export interface WaitingThread {
  organization_id: string
  conversation_id: string
  background: boolean
  queue_seq: number
}

/** Where the next look begins; a process keeps it. */
export interface WaitingCursor {
  /** Tenants after this one. */
  organizationId: string
  /** By tenant: threads after this one. */
  threads: Record<string, string>
}

export const NO_CURSOR: WaitingCursor = { organizationId: '', threads: {} }

interface TenantRow {
  organization_id: string
  is_last_of_look: boolean
  swept_to: string | null
  threads: Omit<WaitingThread, 'organization_id'>[]
}

/** Threads that wait for room, in no order, and where to look on. */
export async function listWaitingThreads(
  db: Queryable,
  cursor: WaitingCursor,
): Promise<{ threads: WaitingThread[]; cursor: WaitingCursor }> {
  const rows = await db.query<TenantRow>(list, [cursor.organizationId, JSON.stringify(cursor.threads)])
  const next: WaitingCursor = { organizationId: '', threads: {} }
  for (const row of rows) {
    if (row.is_last_of_look) next.organizationId = row.organization_id
    if (row.swept_to !== null) next.threads[row.organization_id] = row.swept_to
  }
  // tenants that come later in the round keep their place
  if (next.organizationId !== '' || cursor.organizationId !== '') {
    for (const [tenant, at] of Object.entries(cursor.threads)) {
      if (!rows.some((row) => row.organization_id === tenant)) next.threads[tenant] = at
    }
  }
  const threads = rows.flatMap(({ organization_id, threads: heads }) =>
    heads.map((head) => ({ organization_id, ...head })),
  )
  return { threads, cursor: next }
}

/** How many runs of each tenant wait, for room or behind others of their threads. */
export async function countWaitingRuns(db: Queryable): Promise<Map<string, number>> {
  const rows = await db.query<{ organization_id: string; waiting: number }>(count, [])
  return new Map(rows.map((row) => [row.organization_id, row.waiting]))
}
