import { sql } from 'kysely'
import { allOf } from '#store/all-of.ts'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import { type Queryable, statement } from '#store/db.ts'
import { keysetPage, type PageRequest } from '#store/page.ts'
import { requireCursor } from '#store/require-cursor.ts'
import { DELIVERY_COLUMNS, type DeliveryRow, type DeliveryState } from './delivery-row.ts'

const columns = DELIVERY_COLUMNS.map((name) => `w.${name}`).join(', ')

const find = statement(
  'find-delivery',
  `select ${columns} from webhook_deliveries as w where w.organization_id = $1 and w.id = $2`,
)

export async function findDelivery(
  db: Queryable,
  organizationId: string,
  deliveryId: string,
): Promise<DeliveryRow | undefined> {
  const [row] = await db.query<DeliveryRow>(find, [organizationId, deliveryId])
  return row
}

export async function listDeliveries(
  db: Queryable,
  organizationId: string,
  filter: { state?: DeliveryState | undefined },
  page: PageRequest,
): Promise<DeliveryRow[]> {
  const table = 'webhook_deliveries'
  const paging = keysetPage(page, { table, organizationId })
  const where = allOf(
    sql`webhook_deliveries.organization_id = ${organizationId}`,
    filter.state !== undefined && sql`webhook_deliveries.state = ${filter.state}`,
    paging.where,
  )
  const names = sql.raw(DELIVERY_COLUMNS.join(', '))
  const query = sql`select ${names} from webhook_deliveries where ${where} order by ${paging.orderBy} limit ${page.limit}`
  const rows = await db.query<DeliveryRow>(...toStatement('list-deliveries', query.compile(sqlBuilder)))
  if (rows.length === 0) await requireCursor(db, organizationId, table, page)
  return paging.finish(rows)
}
