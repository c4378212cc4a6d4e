import { type Queryable, statement } from '#store/db.ts'

const MEASURE = statement(
  'measure-passages',
  `select (select coalesce(sum(octet_length(p.text)), 0) from passages as p where p.organization_id = $1)::float8
     + (select coalesce(sum(octet_length(p.text)), 0) from file_passages as p where p.organization_id = $1)::float8 as bytes`,
)

/** Bytes of the texts of all passages, of archives and of files. Reads them all. */
export async function measurePassages(db: Queryable, organizationId: string): Promise<number> {
  const [row] = await db.query<{ bytes: number }>(MEASURE, [organizationId])
  return row?.bytes ?? 0
}
