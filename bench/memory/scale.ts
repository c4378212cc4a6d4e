import { LOCAL_EMBEDDING } from '#llm/embeddings/local-embedding.ts'
import { StoredVectorSearch } from '#memory/search/vector-search.ts'
import { searchPassages } from '#memory/search-passages.ts'
import { DEFAULT_ORGANIZATION_ID } from '#platform/ids.ts'
import type { Db } from '#store/db.ts'
import { findExactly } from '#store/embeddings/nearest.ts'
import { ensureVectorIndex } from '#store/embeddings/vector-index.ts'
import { type PassageScope, passageVectorScope, resolveTags } from '#store/passages/passage-search.ts'
import { percentile } from '../load.ts'
import { ms, note, report } from '../replicas/report.ts'
import { fillArchives, prepareBases } from './fill-archives.ts'
import { loadConversations } from './locomo.ts'
import { logger, openLocalEmbedders } from './open-local.ts'

const QUESTIONS = 200
const TOP = 10

interface Case {
  name: string
  archives: number
  perArchive: number
  isSpread: boolean
  barMs: number
  withFilters: boolean
}

/** Searches of passages in a database with many of them: the whole search, the vector of the query included, one at a time. */
export async function measureScale(
  db: Db,
  { name, archives, perArchive, isSpread, barMs, withFilters }: Case,
): Promise<void> {
  await using embedders = openLocalEmbedders()
  const embedder = await embedders.getEmbedder(LOCAL_EMBEDDING.handle)
  const conversations = loadConversations()
  const bases = await prepareBases(db, embedder, conversations)
  const startedAt = performance.now()
  const fill = { prefix: isSpread ? 's' : 'o', archives, perArchive, bases }
  await fillArchives(db, isSpread ? fill : { ...fill, organizationId: DEFAULT_ORGANIZATION_ID }, note)
  note(`${name}: filled in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`)
  const model = { id: 1, dimensions: 384 }
  const builtAt = performance.now()
  const hasIndex = await ensureVectorIndex(db, model)
  if (hasIndex) note(`${name}: index of vectors made in ${((performance.now() - builtAt) / 1000).toFixed(0)} s`)
  const vectors = new StoredVectorSearch({ db, logger, embedders })
  const questions = conversations.flatMap((one) => one.questions.map(({ text }) => text))
  const times: number[] = []
  const recalls: number[] = []
  for (let n = 0; n < QUESTIONS + 20; n += 1) {
    const query = questions[(n * 37) % questions.length] ?? ''
    const suffix = `${fill.prefix}${String((n * 13) % archives).padStart(6, '0')}`
    const scope: PassageScope = {
      organizationId: isSpread ? `org-${suffix}` : DEFAULT_ORGANIZATION_ID,
      archiveId: `archive-${suffix}`,
      ...(withFilters && n % 2 === 0 ? { tags: [`tag-${n % 50}`, `tag-${(n + 7) % 50}`] } : {}),
      ...(withFilters && n % 4 === 1
        ? { start: newerHalf(startedAt, ((n * 13) % archives) * perArchive, perArchive) }
        : {}),
    }
    const sentAt = performance.now()
    const found = await searchPassages({ db, vectors }, { ...scope, query, limit: TOP })
    // the first ones load the model and the tables
    if (n >= 20) times.push(performance.now() - sentAt)
    if (found.length === 0) throw new Error(`nothing found for ${query}`)
    const [queryVector] = await vectors.embed([query])
    if (queryVector === undefined) throw new Error('no vector of the query')
    const near = await vectors.findNearest([queryVector], passageVectorScope(await resolveTags(db, scope)), TOP)
    const exact = await findExactly(db, model, queryVector.vector, passageVectorScope(scope), TOP)
    const ids = new Set(near.map(({ id }) => id))
    recalls.push(exact.filter(({ id }) => ids.has(id)).length / exact.length)
  }
  const p95 = percentile(times, 0.95)
  report(`${name}: a search, p50 ${ms(percentile(times, 0.5))}, p95`, ms(p95), `≤ ${barMs} ms`, p95 <= barMs)
  const recall = recalls.reduce((sum, one) => sum + one, 0) / recalls.length
  report(`${name}: recall@${TOP} against exact search`, recall.toFixed(3), '≥ 0.95', recall >= 0.95)
}

/** `fillArchives` makes each passage a second older than the one before it. */
const newerHalf = (filledAt: number, before: number, perArchive: number): Date =>
  new Date(performance.timeOrigin + filledAt - (before + perArchive / 2) * 1_000)
