import { sql } from 'kysely'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import { type Queryable, statement } from '#store/db.ts'
import { keysetPage, type PageRequest } from '#store/page.ts'
import { requireCursor } from '#store/require-cursor.ts'
import { SCHEDULE_COLUMNS, type ScheduleRow } from './schedule-row.ts'

const find = statement(
  'find-schedule',
  `select ${SCHEDULE_COLUMNS.map((name) => `s.${name}`).join(', ')} from schedules as s
   where s.organization_id = $1 and s.agent_id = $2 and s.id = $3`,
)

export async function findSchedule(
  db: Queryable,
  organizationId: string,
  agentId: string,
  scheduleId: string,
): Promise<ScheduleRow | undefined> {
  const [row] = await db.query<ScheduleRow>(find, [organizationId, agentId, scheduleId])
  return row
}

/** The schedules of an agent. */
export async function listSchedules(
  db: Queryable,
  organizationId: string,
  agentId: string,
  page: PageRequest,
): Promise<ScheduleRow[]> {
  const paging = keysetPage(page, { table: 'schedules', organizationId })
  const query = sql`select ${sql.raw(SCHEDULE_COLUMNS.join(', '))} from schedules
    where schedules.organization_id = ${organizationId} and schedules.agent_id = ${agentId} and ${paging.where}
    order by ${paging.orderBy} limit ${page.limit}`
  const rows = await db.query<ScheduleRow>(...toStatement('list-schedules', query.compile(sqlBuilder)))
  if (rows.length === 0) await requireCursor(db, organizationId, 'schedules', page)
  return paging.finish(rows)
}
