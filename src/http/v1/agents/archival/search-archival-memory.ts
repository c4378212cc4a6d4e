import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { parseMoment } from '#http/wire/moment.ts'
import { Nullable, presentTime, StringEnum, Timestamp } from '#http/wire/nullable.ts'
import { presentRelevance, RelevanceSchema } from '#http/wire/relevance.ts'
import { searchPassages } from '#memory/search-passages.ts'
import { notFound } from '#platform/errors.ts'
import { findAgentArchive } from '#store/archives/agent-archive-reader.ts'

/** V1 documents ten and gives five. */
const DEFAULT_TOP_K = 5

export function searchArchivalMemory(app: App, context: Context): void {
  app.get(
    '/v1/agents/:agent_id/archival-memory/search',
    {
      config: { permission: 'agents:read' },
      schema: {
        operationId: 'search_archival_memory',
        tags: ['agents'],
        summary: "Search an agent's archival memory; the best first",
        params: Type.Object({ agent_id: IdSchema('agent') }),
        querystring: Type.Object({
          query: Type.String({ description: 'Words; "quoted" ones stand together, -word must not occur' }),
          tags: Type.Optional(Type.Array(Type.String())),
          tag_match_mode: StringEnum(['any', 'all'], { default: 'any' }),
          search_mode: StringEnum(['hybrid', 'fts', 'vector'], { default: 'hybrid' }),
          top_k: Type.Integer({ minimum: 1, maximum: 1000, default: DEFAULT_TOP_K }),
          start_datetime: Type.Optional(Type.String({ description: 'ISO 8601, inclusive' })),
          end_datetime: Type.Optional(Type.String({ description: 'ISO 8601, inclusive' })),
        }),
        response: {
          200: Type.Object({
            results: Type.Array(
              Type.Object({
                id: Type.String(),
                timestamp: Timestamp,
                content: Type.String(),
                tags: Type.Array(Type.String()),
                relevance: Nullable(RelevanceSchema),
              }),
            ),
            count: Type.Integer(),
          }),
        },
      },
    },
    async ({ actor, params, query }) => {
      const start = parseMoment('start_datetime', query.start_datetime)
      const end = parseMoment('end_datetime', query.end_datetime, true)
      const agent = await findAgentArchive(context.db, actor.organizationId, params.agent_id)
      if (agent === undefined) throw notFound(`Agent ${params.agent_id} was not found.`)
      const found = await searchPassages(context, {
        organizationId: actor.organizationId,
        query: query.query,
        limit: query.top_k,
        agentId: params.agent_id,
        mode: query.search_mode,
        tags: query.tags,
        tagMatchMode: query.tag_match_mode,
        start,
        end,
      })
      const results = found.map((row) => ({
        id: row.id,
        timestamp: presentTime(row.created_at),
        content: row.text,
        tags: row.tags,
        relevance: presentRelevance(row.relevance),
      }))
      return { results, count: results.length }
    },
  )
}
