import { type Queryable, statement } from '#store/db.ts'
import { anyOf, type MessageSearch } from './search-messages.ts'

/** Messages that have one of the words are counted up to here: a word of more is a common one, and weighs little anyway. */
const MAX_COUNTED = 5_000
/** Robertson and Zaragoza, The Probabilistic Relevance Framework (2009): the usual values of BM25. */
const K1 = 1.2
const B = 0.75

const FILTERS = (
  alias: string,
): string => `${alias}.organization_id = $1 and ${alias}.agent_id = $2 and ${alias}.role = any($3::text[])
  and ${alias}.created_at >= coalesce($4::timestamptz, '-infinity') and ${alias}.created_at <= coalesce($5::timestamptz, 'infinity')`

/**
 * Okapi BM25 in plain SQL, with one difference: a message is short, so that a word counts once however often it stands in it.
 *   wanted    the words with their weight: the rarer in what the agent has heard and said, the heavier
 *   rare      of words that are in everything nobody finds anything: they add to a score and find no message, unless there are no others
 */
const rank = statement(
  'rank-messages',
  `
with total as (
  select greatest(sum(c.message_count), 1)::float8 as count from conversations as c where c.organization_id = $1 and c.agent_id = $2
), wanted as materialized (
  select q.query, found.count, ln(1 + (greatest(total.count, found.count) - found.count + 0.5) / (found.count + 0.5)) as weight
  from total cross join unnest($6::text[]) as t (term)
  cross join lateral phraseto_tsquery('english', t.term) as q (query)
  cross join lateral (
    select count(*)::float8 as count from (
      select from messages as m where m.organization_id = $1 and m.agent_id = $2 and m.search @@ q.query limit ${MAX_COUNTED}
    ) as counted
  ) as found
  where numnode(q.query) > 0
), rare as materialized (
  select string_agg('(' || w.query::text || ')', ' | ')::tsquery as query from wanted as w
  where w.count < ${MAX_COUNTED} or not exists (select from wanted as v where v.count < ${MAX_COUNTED})
), excluded as (select ${anyOf('$7')} as query)
select m.id, m.seq, m.conversation_id, m.created_at,
  sum(w.weight * ${K1 + 1} / (1 + ${K1} * (${1 - B} + ${B} * length(m.search) / 20.0))) as score
from rare cross join excluded
join messages as m on ${FILTERS('m')} and m.search @@ rare.query and (excluded.query is null or not m.search @@ excluded.query)
join wanted as w on m.search @@ w.query
group by m.organization_id, m.id, m.seq, m.conversation_id, m.created_at
order by score desc, m.seq desc limit $8`,
)

/** A message with what its words are worth for a search. */
export interface RankedMessage {
  id: string
  seq: number
  conversation_id: string
  created_at: Date
  score: number
}

/** The messages that fit the terms best, by BM25, the best first. At least one term. */
export function rankMessages(db: Queryable, search: MessageSearch): Promise<RankedMessage[]> {
  const { organizationId, agentId, roles, start, end, terms, excluded, limit } = search
  return db.query<RankedMessage>(rank, [
    organizationId,
    agentId,
    roles,
    start ?? null,
    end ?? null,
    terms,
    excluded,
    limit,
  ])
}

const around = (order: 'asc' | 'desc', sign: '>' | '<'): string => `(
  select n.id, n.seq, n.conversation_id, n.created_at from messages as n
  where ${FILTERS('n')} and n.conversation_id = hit.conversation_id and n.seq ${sign} hit.seq and n.search is not null
  order by n.seq ${order} limit $8)`

const neighbours = statement(
  'list-neighbours-of-messages',
  `
select near.id, near.seq, near.conversation_id, near.created_at, hit.seq as hit_seq, near.distance
from unnest($6::bigint[], $7::text[]) as hit (seq, conversation_id)
cross join lateral (
  select n.*, row_number() over (order by n.seq desc) as distance from ${around('desc', '<')} as n
  union all
  select n.*, row_number() over (order by n.seq) as distance from ${around('asc', '>')} as n
) as near`,
)

/** What was said right before and after some message. */
export interface Neighbour extends Omit<RankedMessage, 'score'> {
  /** `seq` of the message that it stands beside. */
  hit_seq: number
  /** 1 is right beside it. */
  distance: number
}

/** Up to `reach` messages before and after each of the hits, in its conversation, that pass the filters. */
export function listNeighbours(
  db: Queryable,
  search: Pick<MessageSearch, 'organizationId' | 'agentId' | 'roles' | 'start' | 'end'>,
  hits: readonly Pick<RankedMessage, 'seq' | 'conversation_id'>[],
  reach: number,
): Promise<Neighbour[]> {
  const { organizationId, agentId, roles, start, end } = search
  const seqs = hits.map(({ seq }) => seq)
  const conversations = hits.map(({ conversation_id }) => conversation_id)
  return db.query<Neighbour>(neighbours, [
    organizationId,
    agentId,
    roles,
    start ?? null,
    end ?? null,
    seqs,
    conversations,
    reach,
  ])
}
