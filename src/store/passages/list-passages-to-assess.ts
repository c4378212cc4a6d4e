import { type Queryable, statement } from '#store/db.ts'

export interface PassageToAssess {
  id: string
  /** Its beginning. */
  text: string
  is_whole: boolean
  tags: string[]
  created_at: Date
  /** Null: of which no search is known that gave it. */
  last_retrieved_at: Date | null
  retrieval_count: number
}

const LIST = statement(
  'list-passages-to-assess',
  `select p.id, left(p.text, $4) as text, length(p.text) <= $4 as is_whole, p.tags, p.created_at, r.last_retrieved_at,
     coalesce(r.retrieval_count, 0) as retrieval_count
   from passages as p
   left join passage_retrievals as r on r.organization_id = p.organization_id and r.passage_id = p.id
   where p.organization_id = $1 and p.archive_id = $2
     and (p.created_at, p.id) > (coalesce((
       select c.created_at from passages as c where c.organization_id = $1 and c.archive_id = $2 and c.id = $3), '-infinity'), coalesce($3, ''))
   order by p.created_at, p.id limit $5`,
)

/** Passages of an archive behind this one, the oldest first, with what is known of their retrieval; `chars` of their texts. */
export function listPassagesToAssess(
  db: Queryable,
  organizationId: string,
  archiveId: string,
  { after, chars, limit }: { after: string | undefined; chars: number; limit: number },
): Promise<PassageToAssess[]> {
  return db.query<PassageToAssess>(LIST, [organizationId, archiveId, after ?? null, chars, limit])
}

const HAS = statement(
  'has-passage',
  'select p.id from passages as p where p.organization_id = $1 and p.archive_id = $2 and p.id = $3',
)

export async function hasPassage(
  db: Queryable,
  organizationId: string,
  archiveId: string,
  passageId: string,
): Promise<boolean> {
  return (await db.query(HAS, [organizationId, archiveId, passageId])).length > 0
}
