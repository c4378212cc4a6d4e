import { sql } from 'kysely'
import { type DomainError, notFound } from '#platform/errors.ts'
import { allOf } from '#store/all-of.ts'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import { type Queryable, statement } from '#store/db.ts'
import { keysetPage, type PageRequest } from '#store/page.ts'
import { requireCursor } from '#store/require-cursor.ts'
import { type GroupRow, groupColumns } from './group-row.ts'

export const groupNotFound = (id: string): DomainError => notFound(`Group ${id} was not found.`)

const FIND_GROUP = statement(
  'find-group',
  `select ${groupColumns('g')} from groups as g where g.organization_id = $1 and g.id = $2`,
)

/** Throws not_found. */
export async function getGroup(db: Queryable, organizationId: string, id: string): Promise<GroupRow> {
  const [row] = await db.query<GroupRow>(FIND_GROUP, [organizationId, id])
  if (row === undefined) throw groupNotFound(id)
  return row
}

/** Every condition that is given must hold. */
export interface GroupFilter {
  managerType?: string | undefined
  projectId?: string | undefined
  /** Only groups that this agent is a member or the manager of. */
  agentId?: string | undefined
  includesHidden?: boolean | undefined
}

export async function listGroups(
  db: Queryable,
  organizationId: string,
  filter: GroupFilter,
  page: PageRequest,
): Promise<GroupRow[]> {
  const paging = keysetPage(page, { table: 'groups', organizationId })
  const { agentId } = filter
  const conditions = allOf(
    sql`groups.organization_id = ${organizationId}`,
    filter.managerType !== undefined && sql`groups.manager_type = ${filter.managerType}`,
    filter.projectId !== undefined && sql`groups.project_id = ${filter.projectId}`,
    agentId !== undefined &&
      sql`(groups.manager_agent_id = ${agentId} or groups.id in (select ga.group_id from group_agents as ga
        where ga.organization_id = ${organizationId} and ga.agent_id = ${agentId}))`,
    !filter.includesHidden && sql`groups.hidden is not true`,
  )
  const query = sql`select ${sql.raw(groupColumns('groups'))} from groups
    where ${conditions} and ${paging.where} order by ${paging.orderBy} limit ${page.limit}`
  const rows = await db.query<GroupRow>(...toStatement('list-groups', query.compile(sqlBuilder)))
  if (rows.length === 0) await requireCursor(db, organizationId, 'groups', page)
  return paging.finish(rows)
}

const COUNT_GROUPS = statement('count-groups', 'select count(*) as count from groups as g where g.organization_id = $1')

export async function countGroups(db: Queryable, organizationId: string): Promise<number> {
  const [row] = await db.query<{ count: number }>(COUNT_GROUPS, [organizationId])
  return row?.count ?? 0
}

const LIST_GROUPS_OF_MANAGERS = statement(
  'list-groups-of-managers',
  `select distinct on (g.manager_agent_id) ${groupColumns('g')} from groups as g
   where g.organization_id = $1 and g.manager_agent_id = any($2::text[])
   order by g.manager_agent_id, g.manager_type in ('sleeptime', 'voice_sleeptime') desc, g.created_at desc`,
)

/** Of each agent the group that it manages: the one that works behind it, else the newest. */
export async function listGroupsOfManagers(
  db: Queryable,
  organizationId: string,
  agentIds: readonly string[],
): Promise<Map<string, GroupRow>> {
  const rows = await db.query<GroupRow>(LIST_GROUPS_OF_MANAGERS, [organizationId, agentIds])
  return new Map(rows.map((row) => [row.manager_agent_id ?? '', row]))
}
