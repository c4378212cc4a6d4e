import { type Queryable, statement } from '#store/db.ts'

export interface EmbeddingModelRow {
  id: number
  handle: string
  dimensions: number
  /** New vectors are made with it. */
  is_current: boolean
  /** What was there before is still being queued for it. */
  is_filling: boolean
}

const LIST_LIVE = statement(
  'list-live-embedding-models',
  `select m.id, m.handle, m.dimensions, m.is_current is not null as is_current, m.backfill_kind is not null as is_filling
   from embedding_models as m where m.is_live order by m.is_current nulls last, m.id`,
)

/** The models that there can be vectors of, the current one first. They are the server's, whatever the tenant. */
export function listLiveEmbeddingModels(db: Queryable): Promise<EmbeddingModelRow[]> {
  return db.query<EmbeddingModelRow>(LIST_LIVE)
}

const RESIGN = statement(
  'resign-embedding-model',
  'update embedding_models set is_current = null where is_current and handle is distinct from $1 returning id',
)
const APPOINT = statement(
  'appoint-embedding-model',
  `insert into embedding_models as m (handle, dimensions, is_current, backfill_kind) values ($1, $2, true, 'message')
   on conflict (handle) do update set is_current = true, is_live = true, backfill_kind = 'message', backfill_organization_id = '',
     backfill_source_id = '', dimensions = excluded.dimensions
   where m.is_current is null or m.dimensions <> excluded.dimensions
   returning m.id`,
)

/** Makes a model the current one; everything that was stored before is queued for it (`continueBackfill`). True where it was not yet. */
export async function appointEmbeddingModel(
  tx: Queryable,
  { handle, dimensions }: { handle: string; dimensions: number },
): Promise<boolean> {
  await tx.query(RESIGN, [handle])
  return (await tx.query(APPOINT, [handle, dimensions])).length > 0
}

/** No vectors are made from now on, and nothing is queued. */
export async function dismissEmbeddingModel(db: Queryable): Promise<void> {
  await db.query(RESIGN, [null])
}

const RETIRE = statement(
  'retire-embedding-models',
  `update embedding_models as m set is_live = false
   where m.is_live and m.is_current is null
     and exists (select from embedding_models as c where c.is_current and c.backfill_kind is null)
     and not exists (select from embedding_queue as q where q.priority = 1 and q.attempts < $1)
   returning m.id`,
)

/**
 * Models whose vectors have all been made anew are looked at no more. True where there was one.
 * @param maxAttempts texts that were tried this often do not hold it up
 */
export async function retireEmbeddingModels(db: Queryable, maxAttempts: number): Promise<boolean> {
  return (await db.query(RETIRE, [maxAttempts])).length > 0
}
