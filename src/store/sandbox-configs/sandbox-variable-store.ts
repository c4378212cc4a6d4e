import { sql } from 'kysely'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import { type Queryable, statement } from '#store/db.ts'
import { keysetPage, type PageRequest } from '#store/page.ts'
import { requireCursor } from '#store/require-cursor.ts'
import { type SandboxVariableRow, sandboxVariableColumns } from './sandbox-config-row.ts'

export async function listSandboxVariables(
  db: Queryable,
  organizationId: string,
  configId: string,
  page: PageRequest,
): Promise<SandboxVariableRow[]> {
  const paging = keysetPage(page, { table: 'sandbox_variables', organizationId })
  const query = sql`select ${sql.raw(sandboxVariableColumns('sandbox_variables'))} from sandbox_variables
    where sandbox_variables.organization_id = ${organizationId} and sandbox_variables.sandbox_config_id = ${configId}
      and ${paging.where}
    order by ${paging.orderBy} limit ${page.limit}`
  const rows = await db.query<SandboxVariableRow>(...toStatement('list-sandbox-variables', query.compile(sqlBuilder)))
  if (rows.length === 0) await requireCursor(db, organizationId, 'sandbox_variables', page)
  return paging.finish(rows)
}

const INSERT_SANDBOX_VARIABLE = statement(
  'insert-sandbox-variable',
  `insert into sandbox_variables as v (organization_id, id, sandbox_config_id, key, sealed_value, description, created_by_id,
     last_updated_by_id, created_at)
   values ($1, $2, $3, $4, $5, $6, $7, $7, clock_timestamp())
   returning ${sandboxVariableColumns('v')}`,
)

/** Throws a unique violation when the configuration has a variable of this key, a foreign key violation when it is gone. */
export async function insertSandboxVariable(
  db: Queryable,
  organizationId: string,
  variable: {
    id: string
    configId: string
    key: string
    sealedValue: string
    description: string | null
    userId: string
  },
): Promise<SandboxVariableRow> {
  const { id, configId, key, sealedValue, description, userId } = variable
  const parameters = [organizationId, id, configId, key, sealedValue, description, userId]
  const [row] = await db.query<SandboxVariableRow>(INSERT_SANDBOX_VARIABLE, parameters)
  if (row === undefined) throw new Error('insert-sandbox-variable returned no row')
  return row
}

const UPDATE_SANDBOX_VARIABLE = statement(
  'update-sandbox-variable',
  `update sandbox_variables as v set key = coalesce($3, v.key), sealed_value = coalesce($4, v.sealed_value),
     description = case when $5 then $6 else v.description end, last_updated_by_id = $7, updated_at = now()
   where v.organization_id = $1 and v.id = $2
   returning ${sandboxVariableColumns('v')}`,
)

/** What is undefined stays. Undefined when there is no such variable; throws a unique violation when the key is taken. */
export async function updateSandboxVariable(
  db: Queryable,
  organizationId: string,
  id: string,
  change: {
    key: string | undefined
    sealedValue: string | undefined
    description: string | null | undefined
    userId: string
  },
): Promise<SandboxVariableRow | undefined> {
  const { key, sealedValue, description, userId } = change
  const parameters = [
    organizationId,
    id,
    key ?? null,
    sealedValue ?? null,
    description !== undefined,
    description ?? null,
    userId,
  ]
  const [row] = await db.query<SandboxVariableRow>(UPDATE_SANDBOX_VARIABLE, parameters)
  return row
}

const DELETE_SANDBOX_VARIABLE = statement(
  'delete-sandbox-variable',
  'delete from sandbox_variables as v where v.organization_id = $1 and v.id = $2 returning v.id',
)

/** False when there is none. */
export async function deleteSandboxVariable(db: Queryable, organizationId: string, id: string): Promise<boolean> {
  const rows = await db.query(DELETE_SANDBOX_VARIABLE, [organizationId, id])
  return rows.length > 0
}
