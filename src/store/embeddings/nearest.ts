import { type RawBuilder, sql } from 'kysely'
import { allOf } from '#store/all-of.ts'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import { type Db, type Queryable, statement } from '#store/db.ts'
import type { EmbeddingKind } from './embedding-queue.ts'
import { vectorColumn, vectorText } from './vector-column.ts'

/** Rows that are looked at one by one; a scope that has more is searched by the index, where there is one. */
export const MAX_EXACT = 20_000
/**
 * Candidates of a look into the index, from which it goes on while filters leave too few (pgvector's iterative scan). With the index of `vector-index.ts` it found 99.5 % of
 * what is nearest among 100 000 rows, in 3.3 ms.
 */
const EF_SEARCH = 400
const MAX_SCANNED = 40_000
/** Rows that are taken for each that is wanted, and at least. */
const OVERFETCH = 2
const MIN_FETCHED = 200

/** Where to look. Every condition that is given must hold. */
export interface VectorScope {
  organizationId: string
  kind: EmbeddingKind
  /** Agents of messages, archives of passages, folders of files. */
  scopeIds?: readonly string[] | undefined
  /** These texts alone, at most `MAX_EXACT`. */
  sourceIds?: readonly string[] | undefined
  roles?: readonly string[] | undefined
  start?: Date | undefined
  end?: Date | undefined
  /** Which scopes, where they are not known by their ids: a condition on the row `e`. */
  within?: RawBuilder<unknown> | undefined
  /** What else must hold for the row `e`. */
  where?: RawBuilder<unknown> | undefined
}

export interface NearRow {
  id: string
  /** The conversation of a message, the file of a file's passage, with the place in it. */
  part_id: string | null
  seq: number | null
  created_at: Date
  /** 0 to 2: one less the cosine. */
  distance: number
}

export interface VectorModel {
  id: number
  dimensions: number
}

/** A query as one of the models sees it. */
export interface QueryVector {
  model: VectorModel
  vector: Float32Array
}

/** The cosine to the query of what has this id, as an expression; null where it has no vector. */
export function similarityOf(
  vectors: readonly QueryVector[],
  organization: RawBuilder<unknown>,
  id: RawBuilder<unknown>,
): RawBuilder<unknown> {
  if (vectors.length === 0) return sql`null::float8`
  const cases = vectors.map(({ model, vector }) => sql`when ${model.id} then 1 - (${distance(model, vector)})`)
  return sql`(select case e.model ${sql.join(cases, sql` `)} end from embeddings as e
    where e.organization_id = ${organization} and e.source_id = ${id})`
}

const USE_INDEX = statement(
  'use-vector-index',
  `select set_config('hnsw.iterative_scan', 'relaxed_order', true), set_config('hnsw.ef_search', '${EF_SEARCH}', true),
    set_config('hnsw.max_scan_tuples', '${MAX_SCANNED}', true), set_config('enable_sort', 'off', true)`,
)

/**
 * The rows in scope whose vectors are nearest to this one, the nearest first. Exact where the scope has at most `MAX_EXACT` rows or there is no
 * index; above that by the index (HNSW), with the filters applied while it is walked, so that they do not cost results.
 */
export async function findNearest(
  db: Db,
  model: VectorModel,
  vector: Float32Array,
  scope: VectorScope,
  limit: number,
  hasIndex: boolean,
): Promise<NearRow[]> {
  if (!hasIndex || (await isSmall(db, scope))) return findExactly(db, model, vector, scope, limit)
  const found = await findByIndex(db, model, vector, scope, limit)
  // filters that leave next to nothing: what is left is soon looked at one by one
  return found.length < limit ? findExactly(db, model, vector, scope, limit) : found
}

async function isSmall(db: Queryable, scope: VectorScope): Promise<boolean> {
  if (scope.sourceIds !== undefined) return true
  const query = sql`select count(*)::int as count from
    (select from embeddings as e where ${inScope({ ...scope, where: undefined })} limit ${MAX_EXACT + 1}) as counted`
  const [row] = await db.query<{ count: number }>(...toStatement('count-embeddings', query.compile(sqlBuilder)))
  return (row?.count ?? 0) <= MAX_EXACT
}

/** `offset 0` keeps the planner from walking the index instead, which would lose rows under a filter. */
export function findExactly(
  db: Queryable,
  model: VectorModel,
  vector: Float32Array,
  scope: VectorScope,
  limit: number,
): Promise<NearRow[]> {
  const query = sql`select n.source_id as id, n.part_id, n.seq, n.created_at, n.distance from (
      select e.source_id, e.part_id, e.seq, e.created_at, ${distance(model, vector)} as distance from embeddings as e
      where ${ofModel(model, scope)} offset 0
    ) as n order by n.distance limit ${limit}`
  return db.query<NearRow>(...toStatement('find-nearest-exactly', query.compile(sqlBuilder)))
}

/**
 * The index gives rows nearly in order, and the less so the more of them the filters leave out: more are taken than wanted, and put into order.
 */
function findByIndex(
  db: Db,
  model: VectorModel,
  vector: Float32Array,
  scope: VectorScope,
  limit: number,
): Promise<NearRow[]> {
  const query = sql`with walked as materialized (
      select e.source_id, e.part_id, e.seq, e.created_at, ${distance(model, vector)} as distance from embeddings as e
      where ${ofModel(model, scope)}
      order by ${distance(model, vector)} limit ${Math.max(limit * OVERFETCH, MIN_FETCHED)}
    ) select w.source_id as id, w.part_id, w.seq, w.created_at, w.distance from walked as w order by w.distance + 0 limit ${limit}`
  return db.transaction(async (tx) => {
    const [, rows] = await Promise.all([
      tx.query(USE_INDEX),
      tx.query<NearRow>(...toStatement('find-nearest-by-index', query.compile(sqlBuilder))),
    ])
    return rows
  })
}

/** Vectors of the model that have its length: while it has another one than before, there are some of either. */
const ofModel = ({ id, dimensions }: VectorModel, scope: VectorScope): RawBuilder<unknown> =>
  allOf(inScope(scope), sql`e.model = ${id}`, sql`${sql.ref(`e.${vectorColumn(dimensions)}`)} is not null`)

const distance = ({ dimensions }: VectorModel, vector: Float32Array): RawBuilder<unknown> =>
  sql`${sql.ref(`e.${vectorColumn(dimensions)}`)} <=> ${vectorText(vector)}::${sql.raw(`halfvec(${dimensions})`)}`

function inScope({
  organizationId,
  kind,
  scopeIds,
  sourceIds,
  within,
  roles,
  start,
  end,
  where,
}: VectorScope): RawBuilder<unknown> {
  return allOf(
    sql`e.organization_id = ${organizationId}`,
    sql`e.kind = ${kind}`,
    scopeIds !== undefined && sql`e.scope_id = any(${scopeIds}::text[])`,
    sourceIds !== undefined && sql`e.source_id = any(${sourceIds}::text[])`,
    within,
    roles !== undefined && sql`e.role = any(${roles}::text[])`,
    start !== undefined && sql`e.created_at >= ${start.toISOString()}::timestamptz`,
    end !== undefined && sql`e.created_at <= ${end.toISOString()}::timestamptz`,
    where,
  )
}
