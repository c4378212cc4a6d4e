import { type Db, type Queryable, statement } from '#store/db.ts'
import { MAX_EXACT } from './nearest.ts'
import { vectorColumn } from './vector-column.ts'

const nameOf = (dimensions: number): string => `embeddings_${vectorColumn(dimensions)}_hnsw`

const FIND = statement(
  'find-vector-index',
  `select i.indisvalid as is_valid from pg_class as c join pg_index as i on i.indexrelid = c.oid
   where c.relname = $1 and c.relnamespace = current_schema()::regnamespace`,
)

/** Whether vectors of this length can be searched by an index. */
export async function hasVectorIndex(db: Queryable, dimensions: number): Promise<boolean> {
  const [row] = await db.query<{ is_valid: boolean }>(FIND, [nameOf(dimensions)])
  return row?.is_valid === true
}

// Of whatever model, which stands in the rows: they would all be read, every minute.
const IS_LARGE = statement(
  'is-a-scope-of-vectors-large',
  `select e.organization_id from embeddings as e
   group by e.organization_id, e.kind having count(*) > ${MAX_EXACT} limit 1`,
)

/**
 * Makes the index for vectors of this length once a search would have to look at more than `MAX_EXACT` of them one by one; writing goes on
 * meanwhile. Small installations, and many small tenants, never need one, and are spared its cost for each row that is written. Not on the embedded
 * database, where making it would stop everything for minutes. True where it was made.
 */
export async function ensureVectorIndex(db: Db, { dimensions }: { dimensions: number }): Promise<boolean> {
  if (db.engine === 'pglite' || (await hasVectorIndex(db, dimensions))) return false
  if ((await db.query(IS_LARGE)).length === 0) return false
  const name = nameOf(dimensions)
  return db.maintain(name, [
    // what a process that died has left
    `drop index concurrently if exists ${name}`,
    `create index concurrently ${name} on embeddings using hnsw (${vectorColumn(dimensions)} halfvec_cosine_ops)
     with (m = 24, ef_construction = 128) where ${vectorColumn(dimensions)} is not null`,
  ])
}
