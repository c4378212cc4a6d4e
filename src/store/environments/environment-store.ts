import { type Queryable, statement } from '#store/db.ts'

export interface EnvironmentRow {
  id: string
  device_id: string
  connection_id: string
  connection_name: string
  metadata: Record<string, unknown> | null
  user_id: string
  created_at: Date
  last_seen_at: Date
}

const COLUMNS =
  'e.id, e.device_id, e.connection_id, e.connection_name, e.metadata, e.user_id, e.created_at, e.last_seen_at'

// a device has one row, whichever program on it registers
const UPSERT = statement(
  'upsert-environment',
  `insert into environments as e (organization_id, id, device_id, connection_id, connection_name, metadata, user_id)
   values ($1, $2, $3, $4, $5, $6::jsonb, $7)
   on conflict (organization_id, device_id) do update set connection_id = $4, connection_name = $5, metadata = $6::jsonb,
     user_id = $7, last_seen_at = now()
   returning ${COLUMNS}`,
)

export async function upsertEnvironment(
  db: Queryable,
  organizationId: string,
  environment: Omit<EnvironmentRow, 'created_at' | 'last_seen_at'>,
): Promise<EnvironmentRow> {
  const { id, device_id, connection_id, connection_name, metadata, user_id } = environment
  const json = metadata === null ? null : JSON.stringify(metadata)
  const parameters = [organizationId, id, device_id, connection_id, connection_name, json, user_id]
  const [row] = await db.query<EnvironmentRow>(UPSERT, parameters)
  if (row === undefined) throw new Error('upsert-environment returned no row')
  return row
}

const FIND_BY_DEVICE = statement(
  'find-environment-by-device',
  `select ${COLUMNS} from environments as e where e.organization_id = $1 and e.device_id = $2`,
)
const FIND_BY_CONNECTION = statement(
  'find-environment-by-connection',
  `select ${COLUMNS} from environments as e where e.organization_id = $1 and e.connection_id = $2`,
)

export async function findEnvironment(
  db: Queryable,
  organizationId: string,
  by: { deviceId: string } | { connectionId: string },
): Promise<EnvironmentRow | undefined> {
  const [row] =
    'deviceId' in by
      ? await db.query<EnvironmentRow>(FIND_BY_DEVICE, [organizationId, by.deviceId])
      : await db.query<EnvironmentRow>(FIND_BY_CONNECTION, [organizationId, by.connectionId])
  return row
}

const LIST = statement(
  'list-environments',
  `select ${COLUMNS} from environments as e
   where e.organization_id = $1 and ($2::text is null or e.user_id = $2)
     and ($3::text is null or (e.created_at, e.id) < (
       select c.created_at, c.id from environments as c where c.organization_id = $1 and c.id = $3))
   order by e.created_at desc, e.id desc limit $4`,
)

/** The newest first. */
export function listEnvironments(
  db: Queryable,
  organizationId: string,
  page: { userId: string | undefined; after: string | undefined; limit: number },
): Promise<EnvironmentRow[]> {
  return db.query<EnvironmentRow>(LIST, [organizationId, page.userId ?? null, page.after ?? null, page.limit])
}

const DELETE = statement(
  'delete-environment',
  'delete from environments where organization_id = $1 and id = $2 returning id',
)

/** False where there is none. */
export async function deleteEnvironment(db: Queryable, organizationId: string, id: string): Promise<boolean> {
  return (await db.query(DELETE, [organizationId, id])).length > 0
}
