import { type Queryable, statement } from '#store/db.ts'
import type { PassageRow } from './passage-row.ts'

export type PassageToExport = Pick<PassageRow, 'text' | 'tags' | 'metadata' | 'created_at'>

interface Row extends PassageToExport {
  id: string
  /** `created_at` to the microsecond, which no Date holds. */
  position: string
}

const LIST = statement(
  'list-passages-to-export',
  `select p.id, p.text, p.tags, p.metadata, p.created_at, p.created_at::text as position from passages as p
   where p.organization_id = $1 and p.archive_id = $2 and (p.created_at, p.id) > ($3::timestamptz, $4)
   order by p.created_at, p.id limit $5`,
)
const AT_ONCE = 500

/** All passages of an archive, the oldest first; some hundreds of them are in memory. */
export async function* listPassagesToExport(
  db: Queryable,
  organizationId: string,
  archiveId: string,
): AsyncGenerator<PassageToExport> {
  let after: readonly [position: string, id: string] = ['-infinity', '']
  for (;;) {
    const rows = await db.query<Row>(LIST, [organizationId, archiveId, ...after, AT_ONCE])
    yield* rows
    const last = rows.at(-1)
    if (last === undefined || rows.length < AT_ONCE) return
    after = [last.position, last.id]
  }
}
