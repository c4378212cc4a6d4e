import { sql } from 'kysely'
import { allOf } from '#store/all-of.ts'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import type { Queryable } from '#store/db.ts'
import { type QueryVector, similarityOf } from '#store/embeddings/nearest.ts'
import { type RankedRows, rankByWords } from '#store/search/rank-by-words.ts'
import { placesOf, type TextFeatures } from '#store/search/read-features.ts'
import type { WeighedTerm } from '#store/search/weigh-terms.ts'
import type { WordSource } from '#store/search/word-source.ts'
import { inMessageScope, type MessageScope } from './message-scope.ts'

/** Where words are looked for. They are weighed in everything that the agent, or the organisation, has heard and said. */
export const messageSource = (scope: MessageScope): WordSource => ({
  table: 'messages',
  scope: allOf(
    sql`s.organization_id = ${scope.organizationId}`,
    scope.agentId !== undefined && sql`s.agent_id = ${scope.agentId}`,
  ),
  sampleOrder: scope.agentId === undefined ? undefined : sql`s.seq desc`,
  filters: inMessageScope(scope, 's'),
  total: sql`(select sum(c.message_count) from conversations as c where ${allOf(
    sql`c.organization_id = ${scope.organizationId}`,
    scope.agentId !== undefined && sql`c.agent_id = ${scope.agentId}`,
  )})`,
})

/** A message that was found, with its place. */
export interface MessageHit {
  id: string
  seq: number
  conversation_id: string
  created_at: Date
}

/** The messages with the heaviest words, the best first. */
export function rankMessages(
  db: Queryable,
  scope: MessageScope,
  terms: readonly WeighedTerm[],
  excluded: readonly string[],
  wanted: Pick<RankedRows, 'limit' | 'atLeast'>,
): Promise<MessageHit[]> {
  return rankByWords<MessageHit>(db, messageSource(scope), terms, excluded, {
    ...wanted,
    columns: ['seq', 'conversation_id', 'created_at'],
  })
}

/** What a message is scored by. */
export interface MessageFeatures extends TextFeatures {
  seq: number
  conversation_id: string
  /** It has a question mark. */
  asks: boolean
  /** `seq` of the hits that it stands beside, or is. */
  hit_seqs: number[]
}

/** Of what a message says; models ask themselves a lot when they think. */
const ASKS = sql.lit('$[*] ? (@.type == "text" && @.text like_regex "[?]")')

/** What was said longer before or after a message does not stand beside it. Else each hit would be looked for in the messages of all months. */
const BESIDE_WITHIN = sql.lit('31 days')

/** The features of hits, and of up to `reach` messages before and after each in its conversation that pass the filters, in any order. */
export function readMessageFeatures(
  db: Queryable,
  scope: MessageScope,
  hits: readonly MessageHit[],
  reach: number,
  terms: readonly WeighedTerm[],
  vectors: readonly QueryVector[],
): Promise<MessageFeatures[]> {
  const { organizationId } = scope
  const beside = (comparison: '<' | '>=', order: 'asc' | 'desc', count: number) => sql`(
    select n.id, n.created_at from messages as n
    where ${inMessageScope(scope, 'n')} and n.conversation_id = hit.conversation_id and n.search is not null
      and n.seq ${sql.raw(comparison)} hit.seq
      and n.created_at between hit.created_at - interval ${BESIDE_WITHIN} and hit.created_at + interval ${BESIDE_WITHIN}
    order by n.seq ${sql.raw(order)} limit ${count})`
  const query = sql`
with beside as materialized (
  select near.id, near.created_at, array_agg(hit.seq) as hit_seqs
  from (select distinct on (h.conversation_id, h.seq) h.* from unnest(${hits.map(({ seq }) => seq)}::bigint[],
    ${hits.map(({ conversation_id }) => conversation_id)}::text[],
    ${hits.map(({ created_at }) => created_at.toISOString())}::timestamptz[]) as h (seq, conversation_id, created_at)) as hit
  cross join lateral (${beside('<', 'desc', reach)} union all ${beside('>=', 'asc', reach + 1)}) as near
  group by near.id, near.created_at
)
select s.id, s.seq, s.conversation_id, s.created_at, b.hit_seqs, length(s.search) as size, jsonb_path_exists(s.content, ${ASKS}) as asks,
  ${placesOf(terms)} as places, ${similarityOf(vectors, sql.ref('s.organization_id'), sql.ref('s.id'))} as similarity
from beside as b join messages as s on s.organization_id = ${organizationId} and s.id = b.id and s.created_at = b.created_at`
  return db.query<MessageFeatures>(...toStatement('read-features-of-messages', query.compile(sqlBuilder)))
}
