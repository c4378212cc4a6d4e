import { type Queryable, statement } from '#store/db.ts'
import { hasFailed } from './embedding-queue.ts'

/** How far a tenant's texts are embedded. */
export interface EmbeddingStatus {
  /** The model that vectors are made with; null where none are made. */
  model: string | null
  dimensions: number | null
  /** What was there before the model was is still being gone through. */
  is_rebuilding: boolean
  /** Texts that wait, those that failed among them; counted up to `MAX_QUEUED`. */
  queued: number
  oldest_queued_at: Date | null
  /** Texts that the model refused. */
  failed: number
  last_error: string | null
}

/** No further texts are counted. */
export const MAX_QUEUED = 10_000

const READ = statement(
  'read-embedding-status',
  `with mine as materialized (
    select q.created_at, q.attempts, q.error, q.token from embedding_queue as q where q.organization_id = $1 limit ${MAX_QUEUED}
  ), model as (select m.handle, m.dimensions, m.backfill_kind from embedding_models as m where m.is_current)
  select (select model.handle from model) as model, (select model.dimensions from model) as dimensions,
    exists (select from model where model.backfill_kind is not null) as is_rebuilding,
    count(*)::int as queued, min(mine.created_at) as oldest_queued_at,
    count(*) filter (where ${hasFailed('mine')})::int as failed, max(mine.error) as last_error
  from mine`,
)

export async function readEmbeddingStatus(db: Queryable, organizationId: string): Promise<EmbeddingStatus> {
  const [row] = await db.query<EmbeddingStatus>(READ, [organizationId])
  if (row === undefined) throw new Error('no status of embeddings')
  return row
}
