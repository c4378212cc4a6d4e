import type { Queryable } from '#store/db.ts'
import type { NearRow } from '#store/embeddings/nearest.ts'
import { type MessageScope, messageVectorScope } from '#store/messages/message-scope.ts'
import type { PlacedMessage } from '#store/messages/placed-message.ts'
import { type MessageHit, messageSource, rankMessages, readMessageFeatures } from '#store/messages/rank-messages.ts'
import {
  type FoundMessage as FoundRow,
  listNewestFound,
  listNewestPlaced,
  readMessages,
  readPlacedMessages,
} from '#store/messages/search-messages.ts'
import { weighTerms } from '#store/search/weigh-terms.ts'
import { parseSearchQuery, type SearchQuery } from './parse-search-query.ts'
import {
  embedFor,
  explainer,
  farthestSimilarity,
  isLiteral,
  MIN_CANDIDATES,
  ranksOf,
  type SearchTools,
} from './search/hybrid-search.ts'
import { namedPeriods, type Period } from './search/named-periods.ts'
import { dropAskingWords, queryForms } from './search/query-forms.ts'
import type { Relevance, SearchMode } from './search/relevance.ts'
import { REACH, scoreMessages } from './search/score-messages.ts'
import { shareWeights } from './search/score-texts.ts'

/** Hits of the time that a query names, besides those of all times. */
const DATED_CANDIDATES = 30
/** Times that a query can name. */
const MAX_PERIODS = 3

export interface MessageSearch extends MessageScope {
  /** Words in any order and inflection; "quoted" ones stand together, -word must not occur. Empty gives the newest. */
  query: string
  /** 1 or more. */
  limit: number
  mode?: SearchMode | undefined
}

/** Null where the search asked for nothing, and the newest were given. */
interface WithRelevance {
  relevance: Relevance | null
}

/**
 * Search over everything that was heard, said and told by tools: by its words, by what it means, by what stands beside it in the conversation (an answer seldom has the words of its
 * question), and by the time that the query names; the best first. "Quoted" words and -excluded ones are taken literally, as all are in mode `fts`: then nothing is given for what stands beside it. An empty query gives the newest messages.
 * Throws unavailable for mode `vector` where there are no vectors.
 */
export function searchMessages(tools: SearchTools, search: MessageSearch): Promise<(FoundRow & WithRelevance)[]> {
  return findAndRead(tools, search, listNewestFound, readMessages)
}

/** The same, with the messages as they are stored. */
export function searchAllMessages(
  tools: SearchTools,
  search: MessageSearch,
): Promise<(PlacedMessage & WithRelevance)[]> {
  return findAndRead(tools, search, listNewestPlaced, readPlacedMessages)
}

async function findAndRead<Row extends { id: string }>(
  tools: SearchTools,
  search: MessageSearch,
  listNewest: (db: Queryable, scope: MessageScope, limit: number) => Promise<Row[]>,
  read: (db: Queryable, organizationId: string, wanted: readonly BestMessage[]) => Promise<Row[]>,
): Promise<(Row & WithRelevance)[]> {
  const { query, limit, mode, ...scope } = search
  const wanted = parseSearchQuery(query)
  if (wanted.terms.length === 0) {
    // a query of which nothing is left ("!?") finds nothing, and not everything
    const newest = query.trim() === '' ? await listNewest(tools.db, scope, limit) : []
    return newest.map((row) => ({ ...row, relevance: null }))
  }
  const best = await findMessages(tools, search, wanted)
  const rows = await read(tools.db, scope.organizationId, [...best.values()])
  return rows.map((row) => ({ ...row, relevance: best.get(row.id)?.relevance ?? null }))
}

interface BestMessage {
  id: string
  created_at: Date
  relevance: Relevance
}

/** The best messages by id, the best first. */
async function findMessages(
  { db, vectors }: SearchTools,
  { query, limit, mode: asked = 'hybrid', ...scope }: MessageSearch,
  wanted: SearchQuery,
): Promise<Map<string, BestMessage>> {
  const literal = isLiteral(query, wanted)
  const mode = asked === 'hybrid' && literal ? 'fts' : asked
  const weighed = await weighTerms(db, messageSource(scope), wanted.terms)
  const terms = mode === 'vector' ? [] : dropAskingWords(weighed)
  const queryVectors = await embedFor(vectors, queryForms(query, wanted, weighed), mode)
  const count = Math.max(limit, MIN_CANDIDATES)
  const atLeast = queryVectors.length === 0 ? limit : 0
  const periods = literal ? [] : namedPeriods(query).slice(0, MAX_PERIODS)
  const find = async (
    where: MessageScope,
    most: number,
  ): Promise<[MessageHit[], Awaited<ReturnType<typeof nearest>>]> =>
    Promise.all([rankMessages(db, where, terms, wanted.excluded, { limit: most, atLeast }), nearest(where, most)])
  const nearest = async (where: MessageScope, most: number) =>
    queryVectors.length === 0 ? [] : vectors.findNearest(queryVectors, messageVectorScope(where), most)
  const [[words, near], ...dated] = await Promise.all([
    find(scope, count),
    ...periods.map((period) => find(within(scope, period), DATED_CANDIDATES)),
  ])
  const hits = [
    words,
    near.map(toHit),
    ...dated.flatMap(([byWords, byMeaning]) => [byWords, byMeaning.map(toHit)]),
  ].flat()
  if (hits.length === 0) return new Map()
  const messages = await readMessageFeatures(db, scope, hits, mode === 'hybrid' ? REACH : 0, terms, queryVectors)
  const scores = scoreMessages(messages, {
    shares: shareWeights(terms),
    unknownSimilarity: farthestSimilarity(near),
    isDated: ({ created_at: at }) => periods.some(({ start, end }) => at >= start && at < end),
  })
  const explain = explainer(wanted, queryVectors, mode, ranksOf(words), ranksOf(near))
  const best = messages
    .map((message) => ({ ...message, score: scores.get(message.id) ?? 0 }))
    .sort((a, b) => b.score - a.score || b.seq - a.seq)
    .slice(0, limit)
  return new Map(best.map((message) => [message.id, { ...message, relevance: explain(message, message.score) }]))
}

const toHit = ({ id, seq, part_id, created_at }: NearRow): MessageHit => ({
  id,
  seq: seq ?? 0,
  conversation_id: part_id ?? '',
  created_at,
})

function within(scope: MessageScope, { start, end }: Period): MessageScope {
  const from = scope.start !== undefined && scope.start > start ? scope.start : start
  const to = scope.end !== undefined && scope.end < end ? scope.end : end
  return { ...scope, start: from, end: to }
}
