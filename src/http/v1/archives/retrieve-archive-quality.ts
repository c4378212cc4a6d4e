import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { Nullable, presentTime, Timestamp } from '#http/wire/nullable.ts'
import { type Assessment, assessArchive } from '#memory/quality/assess-archive.ts'
import { getArchive } from '#store/archives/archive-reader.ts'
import type { PassageToAssess } from '#store/passages/list-passages-to-assess.ts'
import { ArchiveId } from './archive-schema.ts'

/** Characters of a passage, by which a person knows it again. */
const SHOWN_CHARS = 200
/** Passages of a group that are told. */
const SHOWN_OF_GROUP = 20

const SeenPassage = Type.Object({
  id: Type.String(),
  text: Type.String({ description: `Its first ${SHOWN_CHARS} characters` }),
  tags: Type.Array(Type.String()),
  created_at: Timestamp,
  retrieval_count: Type.Integer(),
  last_retrieved_at: Nullable(Timestamp),
})
const Seen = Type.Object({ count: Type.Integer(), passages: Type.Array(SeenPassage) })

const Quality = Type.Object({
  archive_id: Type.String(),
  passage_count: Type.Integer({ description: 'Of the whole archive' }),
  examined: Type.Integer({ description: 'Passages that this part of the report is about' }),
  next_after: Nullable(Type.String({ description: 'What `after` is for the next part; null at the end' })),
  duplicates: Type.Object({
    count: Type.Integer({ description: 'Passages that say what an earlier one says, word for word' }),
    groups: Type.Array(Type.Object({ count: Type.Integer(), passages: Type.Array(SeenPassage) })),
  }),
  near_duplicates: Type.Object({
    count: Type.Integer({ description: 'Passages that are nearly the same as an earlier one' }),
    pairs: Type.Array(Type.Object({ passages: Type.Array(SeenPassage), similarity: Type.Number() })),
  }),
  never_retrieved: Seen,
  stale: Seen,
  tags: Type.Array(Type.Object({ tag: Type.String(), count: Type.Integer() })),
  untagged_count: Type.Integer(),
})

export function retrieveArchiveQuality(app: App, context: Context): void {
  app.get(
    '/v1/archives/:archive_id/quality',
    {
      config: { permission: 'archives:read' },
      schema: {
        operationId: 'retrieve_archive_quality',
        tags: ['archives'],
        summary:
          'What might be put in order in an archive: duplicates, near-duplicates, passages that no search has given, stale ones, tags. Of so many passages at once, the oldest first',
        params: ArchiveId,
        querystring: Type.Object({
          limit: Type.Integer({ minimum: 1, maximum: 10_000, default: 5_000, description: 'Passages to look at' }),
          after: Type.Optional(IdSchema('passage')),
          top: Type.Integer({ minimum: 0, maximum: 200, default: 20, description: 'Findings of each kind to tell' }),
          stale_days: Type.Integer({
            minimum: 1,
            maximum: 36_500,
            default: 90,
            description: 'A passage is stale that was stored and last retrieved longer ago',
          }),
        }),
        response: { 200: Quality },
      },
    },
    async ({ actor, params, query }) => {
      const archive = await getArchive(context.db, actor.organizationId, params.archive_id)
      const { limit, after, top, stale_days: staleDays } = query
      const request = { limit, after, top, staleDays }
      const assessment = await assessArchive(context.db, actor.organizationId, archive.id, request)
      return { archive_id: archive.id, passage_count: archive.passage_count, ...presentAssessment(assessment) }
    },
  )
}

const presentAssessment = ({ duplicates, nearDuplicates, neverRetrieved, stale, ...rest }: Assessment) => ({
  examined: rest.examined,
  next_after: rest.nextAfter,
  duplicates: {
    count: duplicates.count,
    groups: duplicates.groups.map((group) => ({
      count: group.length,
      passages: group.slice(0, SHOWN_OF_GROUP).map(presentSeen),
    })),
  },
  near_duplicates: {
    count: nearDuplicates.count,
    pairs: nearDuplicates.pairs.map(({ passages, similarity }) => ({
      passages: passages.map(presentSeen),
      similarity: Math.round(similarity * 1_000) / 1_000,
    })),
  },
  never_retrieved: { count: neverRetrieved.count, passages: neverRetrieved.passages.map(presentSeen) },
  stale: { count: stale.count, passages: stale.passages.map(presentSeen) },
  tags: rest.tags,
  untagged_count: rest.untaggedCount,
})

const presentSeen = (row: PassageToAssess) => ({
  id: row.id,
  text: row.text.slice(0, SHOWN_CHARS).toWellFormed(),
  tags: row.tags,
  created_at: presentTime(row.created_at),
  retrieval_count: row.retrieval_count,
  last_retrieved_at: presentTime(row.last_retrieved_at),
})
