import { type Queryable, statement } from '#store/db.ts'
import { VECTOR_DIMENSIONS, vectorColumn, vectorText } from './vector-column.ts'

/** Of what a vector is made. */
export type EmbeddingKind = 'message' | 'passage' | 'file_passage' | 'tool'

/** A text that this process is to make a vector of, and nobody else while the lease lasts. */
export interface ClaimedText {
  organization_id: string
  source_id: string
  kind: EmbeddingKind
  source_created_at: Date
  token: string
  attempts: number
}

const CLAIM = statement(
  'claim-texts-to-embed',
  `with due as materialized (
    select q.organization_id, q.source_id from embedding_queue as q where q.due_at <= now()
    order by q.priority, q.due_at limit $1 for no key update skip locked
  )
  update embedding_queue as q set due_at = now() + $2::integer * interval '1 millisecond', token = gen_random_uuid(),
    attempts = least(q.attempts + 1, 1000)
  from due where q.organization_id = due.organization_id and q.source_id = due.source_id
  returning q.organization_id, q.source_id, q.kind, q.source_created_at, q.token, q.attempts`,
)

/** Takes texts that are due, those just written first, and last what is made anew and the rest of long files; of all tenants. */
export function claimTextsToEmbed(db: Queryable, limit: number, leaseMs: number): Promise<ClaimedText[]> {
  return db.query<ClaimedText>(CLAIM, [limit, leaseMs])
}

/** Whether the model refused a text, as a condition on its row of the queue. A text that is being tried is counted as an attempt already, and its error may be that of an outage. */
export const hasFailed = (row: string): string =>
  `${row}.attempts > 0 and ${row}.error is not null and ${row}.token is null`

const keysOf = (texts: readonly ClaimedText[]) => [
  texts.map((text) => text.organization_id),
  texts.map((text) => text.source_id),
  texts.map((text) => text.token),
]
const MINE = 'unnest($1::text[], $2::text[], $3::uuid[])'

const RELEASE = statement(
  'release-texts-to-embed',
  `update embedding_queue as q set due_at = now() + $4::integer * interval '1 millisecond', token = null, error = $5,
     attempts = case when $6::boolean then q.attempts else q.attempts - 1 end
   from ${MINE} as mine (organization_id, source_id, token)
   where q.organization_id = mine.organization_id and q.source_id = mine.source_id and q.token = mine.token`,
)

/** Gives texts back, to be tried again after a pause; not an attempt where it was not the text that failed. */
export async function releaseTextsToEmbed(
  db: Queryable,
  texts: readonly ClaimedText[],
  { pauseMs, error, isAttempt }: { pauseMs: number; error: string | null; isAttempt: boolean },
): Promise<void> {
  await db.query(RELEASE, [...keysOf(texts), pauseMs, error, isAttempt])
}

const DROP = statement(
  'drop-texts-to-embed',
  `delete from embedding_queue as q using ${MINE} as mine (organization_id, source_id, token)
   where q.organization_id = mine.organization_id and q.source_id = mine.source_id and q.token = mine.token`,
)

/** Takes texts out that are gone, or have no words. */
export async function dropTextsToEmbed(db: Queryable, texts: readonly ClaimedText[]): Promise<void> {
  await db.query(DROP, keysOf(texts))
}

/** A vector with what its text is. */
export interface EmbeddedText extends ClaimedText {
  scope_id: string
  part_id: string | null
  role: string | null
  seq: number | null
  vector: Float32Array
}

// A row has one vector, that of its model.
const EVERY_COLUMN = VECTOR_DIMENSIONS.map(vectorColumn)
  .map((column) => `${column} = excluded.${column}`)
  .join(', ')

// The model is locked until all is stored: another one is not appointed meanwhile, so that what goes through everything for that one
// does not meet a text that still waits here, and leave it.
function store(column: string, dimensions: number) {
  return statement(
    `store-embeddings-${dimensions}`,
    `with model as materialized (
      select m.id from embedding_models as m where m.id = $9 and m.is_current for key share
    ), mine as materialized (
      delete from embedding_queue as q using ${MINE} as t (organization_id, source_id, token)
      where q.organization_id = t.organization_id and q.source_id = t.source_id and q.token = t.token and exists (select from model)
      returning q.organization_id, q.source_id, q.kind, q.source_created_at
    ), fresh as (
      select mine.*, t.* from unnest($1::text[], $2::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[])
        as t (organization, source, scope_id, part_id, role, seq, vector)
      join mine on mine.organization_id = t.organization and mine.source_id = t.source
    ), stored as (
      insert into embeddings (organization_id, source_id, kind, scope_id, part_id, role, seq, created_at, model, ${column})
      select f.organization_id, f.source_id, f.kind, f.scope_id, f.part_id, f.role, f.seq, f.source_created_at, model.id,
        f.vector::halfvec(${dimensions})
      from fresh as f cross join model order by f.organization_id, f.scope_id, f.seq
      on conflict (organization_id, source_id) do update set model = excluded.model, ${EVERY_COLUMN}
    )
    select model.id from model`,
  )
}
const stores = new Map<number, ReturnType<typeof store>>()

/**
 * Stores vectors and takes their texts out of the queue, in one statement. What was changed, deleted or taken over meanwhile is left alone.
 * A vector of another model is replaced. False, and nothing is stored, where the model is not the current one any more.
 */
export async function storeEmbeddings(
  db: Queryable,
  model: { id: number; dimensions: number },
  texts: readonly EmbeddedText[],
): Promise<boolean> {
  let statement = stores.get(model.dimensions)
  if (statement === undefined) {
    statement = store(vectorColumn(model.dimensions), model.dimensions)
    stores.set(model.dimensions, statement)
  }
  const current = await db.query(statement, [
    ...keysOf(texts),
    texts.map((text) => text.scope_id),
    texts.map((text) => text.part_id),
    texts.map((text) => text.role),
    texts.map((text) => text.seq),
    texts.map((text) => vectorText(text.vector)),
    model.id,
  ])
  return current.length > 0
}

const COUNT_BACKLOG = statement(
  'count-embedding-backlog',
  `select count(*)::int as count from (select from embedding_queue as q where q.priority = 1 limit $1) as waiting`,
)

/** How many texts wait behind those just written; counts no further than `limit`. */
export async function countEmbeddingBacklog(db: Queryable, limit: number): Promise<number> {
  const [row] = await db.query<{ count: number }>(COUNT_BACKLOG, [limit])
  return row?.count ?? 0
}
