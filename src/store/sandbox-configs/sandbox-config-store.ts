import { sql } from 'kysely'
import { allOf } from '#store/all-of.ts'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import { type Queryable, statement } from '#store/db.ts'
import { keysetPage, type PageRequest } from '#store/page.ts'
import { requireCursor } from '#store/require-cursor.ts'
import { type SandboxConfigRow, type SandboxType, sandboxConfigColumns } from './sandbox-config-row.ts'

const FIND_SANDBOX_CONFIG = statement(
  'find-sandbox-config',
  `select ${sandboxConfigColumns('s')} from sandbox_configs as s where s.organization_id = $1 and s.id = $2`,
)

export async function findSandboxConfig(
  db: Queryable,
  organizationId: string,
  id: string,
): Promise<SandboxConfigRow | undefined> {
  const [row] = await db.query<SandboxConfigRow>(FIND_SANDBOX_CONFIG, [organizationId, id])
  return row
}

const FIND_SANDBOX_CONFIG_OF_TYPE = statement(
  'find-sandbox-config-of-type',
  `select ${sandboxConfigColumns('s')} from sandbox_configs as s where s.organization_id = $1 and s.sandbox_type = $2`,
)

export async function findSandboxConfigOfType(
  db: Queryable,
  organizationId: string,
  type: SandboxType,
): Promise<SandboxConfigRow | undefined> {
  const [row] = await db.query<SandboxConfigRow>(FIND_SANDBOX_CONFIG_OF_TYPE, [organizationId, type])
  return row
}

export async function listSandboxConfigs(
  db: Queryable,
  organizationId: string,
  type: SandboxType | undefined,
  page: PageRequest,
): Promise<SandboxConfigRow[]> {
  const paging = keysetPage(page, { table: 'sandbox_configs', organizationId })
  const conditions = allOf(
    sql`sandbox_configs.organization_id = ${organizationId}`,
    type !== undefined && sql`sandbox_configs.sandbox_type = ${type}`,
  )
  const query = sql`select ${sql.raw(sandboxConfigColumns('sandbox_configs'))} from sandbox_configs
    where ${conditions} and ${paging.where} order by ${paging.orderBy} limit ${page.limit}`
  const rows = await db.query<SandboxConfigRow>(...toStatement('list-sandbox-configs', query.compile(sqlBuilder)))
  if (rows.length === 0) await requireCursor(db, organizationId, 'sandbox_configs', page)
  return paging.finish(rows)
}

const INSERT_SANDBOX_CONFIG = statement(
  'insert-sandbox-config',
  `insert into sandbox_configs as s (organization_id, id, sandbox_type, config, created_by_id, last_updated_by_id, created_at)
   values ($1, $2, $3, $4::jsonb, $5, $5, clock_timestamp())
   on conflict (organization_id, sandbox_type) do nothing
   returning ${sandboxConfigColumns('s')}`,
)

/** Undefined when the organisation has a configuration of this type already. */
export async function insertSandboxConfig(
  db: Queryable,
  organizationId: string,
  config: { id: string; type: SandboxType; config: Record<string, unknown>; userId: string },
): Promise<SandboxConfigRow | undefined> {
  const parameters = [organizationId, config.id, config.type, JSON.stringify(config.config), config.userId]
  const [row] = await db.query<SandboxConfigRow>(INSERT_SANDBOX_CONFIG, parameters)
  return row
}

const UPDATE_SANDBOX_CONFIG = statement(
  'update-sandbox-config',
  `update sandbox_configs as s set config = $3::jsonb, last_updated_by_id = $4, updated_at = now()
   where s.organization_id = $1 and s.id = $2
   returning ${sandboxConfigColumns('s')}`,
)

/** Undefined when there is none. */
export async function updateSandboxConfig(
  db: Queryable,
  organizationId: string,
  id: string,
  config: Record<string, unknown>,
  userId: string,
): Promise<SandboxConfigRow | undefined> {
  const parameters = [organizationId, id, JSON.stringify(config), userId]
  const [row] = await db.query<SandboxConfigRow>(UPDATE_SANDBOX_CONFIG, parameters)
  return row
}

const DELETE_SANDBOX_CONFIG = statement(
  'delete-sandbox-config',
  'delete from sandbox_configs as s where s.organization_id = $1 and s.id = $2 returning s.id',
)

/** Deletes it with its variables. False when there is none. */
export async function deleteSandboxConfig(db: Queryable, organizationId: string, id: string): Promise<boolean> {
  const rows = await db.query(DELETE_SANDBOX_CONFIG, [organizationId, id])
  return rows.length > 0
}
