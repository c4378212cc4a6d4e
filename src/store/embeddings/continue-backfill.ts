import { type Db, type Queryable, statement } from '#store/db.ts'
import type { EmbeddingKind } from './embedding-queue.ts'
import { vectorColumn } from './vector-column.ts'

const SOURCES: Record<EmbeddingKind, string> = {
  message: 'select s.organization_id, s.id, s.created_at, s.search is not null as has_text from messages as s',
  passage: 'select s.organization_id, s.id, s.created_at, true as has_text from passages as s',
  file_passage: 'select s.organization_id, s.id, s.created_at, true as has_text from file_passages as s',
  tool: 'select s.organization_id, s.id, s.created_at, true as has_text from tools as s',
}
const ORDER: readonly EmbeddingKind[] = ['message', 'passage', 'file_passage', 'tool']

interface Position {
  id: number
  dimensions: number
  backfill_kind: EmbeddingKind
  backfill_organization_id: string
  backfill_source_id: string
}

const LOCK = statement(
  'lock-embedding-backfill',
  `select m.id, m.dimensions, m.backfill_kind, m.backfill_organization_id, m.backfill_source_id from embedding_models as m
   where m.is_current and m.backfill_kind is not null for no key update skip locked`,
)

const queueNext = (kind: EmbeddingKind, dimensions: number) =>
  statement(
    `queue-embeddings-of-${kind}-${dimensions}`,
    `with next as materialized (
      ${SOURCES[kind]} where (s.organization_id, s.id) > ($1, $2) order by s.organization_id, s.id limit $3
    ), queued as (
      insert into embedding_queue (organization_id, source_id, kind, source_created_at, priority)
      select n.organization_id, n.id, '${kind}', n.created_at, 1 from next as n
      where n.has_text and not exists (select from embeddings as e
        where e.organization_id = n.organization_id and e.source_id = n.id and e.model = $4 and e.${vectorColumn(dimensions)} is not null)
      on conflict do nothing
    )
    select n.organization_id, n.id from next as n order by n.organization_id desc, n.id desc limit 1`,
  )
const MOVE = statement(
  'move-embedding-backfill',
  `update embedding_models set backfill_kind = $2, backfill_organization_id = $3, backfill_source_id = $4 where id = $1`,
)

/**
 * Queues the next `size` texts that were there before the current model was. False where there are no more, or another process is at it.
 * Where it has come to stands in the database, so that a process that dies loses nothing.
 */
export function continueBackfill(db: Db, size: number): Promise<boolean> {
  return db.transaction(async (tx) => {
    const [position] = await tx.query<Position>(LOCK)
    if (position === undefined) return false
    await queueFrom(tx, position, size)
    return true
  })
}

async function queueFrom(tx: Queryable, position: Position, size: number): Promise<void> {
  const { id, dimensions, backfill_kind: kind, backfill_organization_id, backfill_source_id } = position
  const [last] = await tx.query<{ organization_id: string; id: string }>(queueNext(kind, dimensions), [
    backfill_organization_id,
    backfill_source_id,
    size,
    id,
  ])
  if (last !== undefined) await tx.query(MOVE, [id, kind, last.organization_id, last.id])
  else await tx.query(MOVE, [id, ORDER[ORDER.indexOf(kind) + 1] ?? null, '', ''])
}
