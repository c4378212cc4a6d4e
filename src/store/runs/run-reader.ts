import { type RawBuilder, sql } from 'kysely'
import { allOf } from '#store/all-of.ts'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import { type Queryable, statement } from '#store/db.ts'
import { keysetPage, type PageRequest } from '#store/page.ts'
import { requireCursor } from '#store/require-cursor.ts'
import type { RunsTable } from '#store/tables.ts'
import type { RunStatus, StopReason } from './run-row.ts'

const COLUMN_NAMES = [
  'id',
  'agent_id',
  'conversation_id',
  'status',
  'background',
  'request',
  'metadata',
  'stop_reason',
  'error',
  'usage',
  'callback_url',
  'callback_sent_at',
  'callback_status_code',
  'callback_error',
  'ttft_ns',
  'total_duration_ns',
  'created_at',
  'completed_at',
] as const

/** A run as it is shown. */
export interface RunRow extends Pick<RunsTable, (typeof COLUMN_NAMES)[number]> {
  /** Its thread is the agent's default one, which the wire gives no id. */
  is_in_default_conversation: boolean
}

const runColumns = (alias: string): string => `${COLUMN_NAMES.map((name) => `${alias}.${name}`).join(', ')},
  coalesce((select c.is_default from conversations as c
    where c.organization_id = ${alias}.organization_id and c.id = ${alias}.conversation_id), false) as is_in_default_conversation`

const FIND_RUN = statement(
  'find-run',
  `select ${runColumns('r')} from runs as r where r.organization_id = $1 and r.id = $2`,
)

export async function findRun(db: Queryable, organizationId: string, runId: string): Promise<RunRow | undefined> {
  const [row] = await db.query<RunRow>(FIND_RUN, [organizationId, runId])
  return row
}

/** Every condition that is given must hold. */
export interface RunFilter {
  agentIds?: readonly string[] | undefined
  statuses?: readonly RunStatus[] | undefined
  background?: boolean | undefined
  stopReason?: StopReason | undefined
  /** `default` means the default thread of the agent. */
  conversationId?: string | undefined
  /** The run whose agent has sent the message that they answer. */
  sentByRun?: string | undefined
}

export async function listRuns(
  db: Queryable,
  organizationId: string,
  filter: RunFilter,
  page: PageRequest,
): Promise<RunRow[]> {
  const paging = keysetPage(page, { table: 'runs', organizationId })
  const query = sql`select ${sql.raw(runColumns('runs'))} from runs
    where ${runConditions(organizationId, filter)} and ${paging.where}
    order by ${paging.orderBy} limit ${page.limit}`
  const rows = await db.query<RunRow>(...toStatement('list-runs', query.compile(sqlBuilder)))
  if (rows.length === 0) await requireCursor(db, organizationId, 'runs', page)
  return paging.finish(rows)
}

function runConditions(organizationId: string, filter: RunFilter): RawBuilder<unknown> {
  const { agentIds, conversationId } = filter
  return allOf(
    sql`runs.organization_id = ${organizationId}`,
    agentIds !== undefined &&
      (agentIds.length === 1 ? sql`runs.agent_id = ${agentIds[0]}` : sql`runs.agent_id = any(${agentIds}::text[])`),
    filter.statuses !== undefined && sql`runs.status = any(${filter.statuses}::text[])`,
    filter.background !== undefined && sql`runs.background = ${filter.background}`,
    filter.sentByRun !== undefined && sql`runs.metadata ->> 'sent_by_run' = ${filter.sentByRun}`,
    filter.stopReason !== undefined && sql`runs.stop_reason = ${filter.stopReason}`,
    conversationId === 'default' &&
      sql`exists (select from conversations as d where d.organization_id = ${organizationId}
        and d.id = runs.conversation_id and d.is_default)`,
    conversationId !== undefined && conversationId !== 'default' && sql`runs.conversation_id = ${conversationId}`,
  )
}
