import { type Queryable, statement } from '#store/db.ts'
import { hasFailed } from './embedding-queue.ts'

/**
 * How far a text is embedded: `embedded` · `queued` (a vector that there is may be an old one) · `failed` (the model refused it) · `none` (no vectors are made).
 */
export interface EmbeddingState {
  status: 'embedded' | 'queued' | 'failed' | 'none'
  /** The model of its vector; null where it has none. */
  model: string | null
  /** Why it waits. */
  error: string | null
}

const FIND = statement(
  'find-embedding-state',
  `select case when q.source_id is not null and ${hasFailed('q')} then 'failed'
     when q.source_id is not null then 'queued' when m.handle is not null then 'embedded' else 'none' end as status,
     m.handle as model, q.error
   from (select $1::text as organization_id, $2::text as id) as s
   left join embedding_queue as q on q.organization_id = s.organization_id and q.source_id = s.id
   left join embeddings as e on e.organization_id = s.organization_id and e.source_id = s.id
   left join embedding_models as m on m.id = e.model`,
)

export async function findEmbeddingState(
  db: Queryable,
  organizationId: string,
  sourceId: string,
): Promise<EmbeddingState> {
  const [row] = await db.query<EmbeddingState>(FIND, [organizationId, sourceId])
  return row ?? { status: 'none', model: null, error: null }
}
