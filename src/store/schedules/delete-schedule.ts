import { type Queryable, statement } from '#store/db.ts'

const remove = statement(
  'delete-schedule',
  'delete from schedules as s where s.organization_id = $1 and s.agent_id = $2 and s.id = $3 returning s.id',
)

/** Of all tenants, a piece at a time. */
const prune = statement(
  'prune-schedules',
  `
with old as (
  select s.organization_id, s.id from schedules as s
  where s.next_due_at is null and s.last_due_at < now() - $1::bigint * interval '1 millisecond'
  order by s.last_due_at limit $2
  for update skip locked
)
delete from schedules as s using old where s.organization_id = old.organization_id and s.id = old.id returning s.id`,
)

/** False where the agent has no such schedule. Runs that it has started go on. */
export async function deleteSchedule(
  db: Queryable,
  organizationId: string,
  agentId: string,
  scheduleId: string,
): Promise<boolean> {
  return (await db.query(remove, [organizationId, agentId, scheduleId])).length > 0
}

/** Deletes schedules that were due for the last time longer ago than that; gives how many, `limit` at most. */
export async function pruneSchedules(db: Queryable, keptMs: number, limit: number): Promise<number> {
  return (await db.query(prune, [keptMs, limit])).length
}
