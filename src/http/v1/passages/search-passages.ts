import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { parseMoment } from '#http/wire/moment.ts'
import { AnyObject, Nullable, StringEnum } from '#http/wire/nullable.ts'
import { presentRelevance } from '#http/wire/relevance.ts'
import * as memory from '#memory/search-passages.ts'
import { notFound } from '#platform/errors.ts'
import { findAgentArchive, hasArchive } from '#store/archives/agent-archive-reader.ts'
import { PassageSchema } from './passage-schema.ts'
import { presentPassage } from './present-passage.ts'

export function searchPassages(app: App, context: Context): void {
  app.post(
    '/v1/passages/search',
    {
      config: { permission: 'passages:read' },
      schema: {
        operationId: 'search_passages',
        tags: ['passages'],
        summary: 'Search passages of one agent, one archive, or all of them; the best first',
        body: Type.Object({
          query: Type.Optional(Nullable(Type.String({ description: 'Without it, the newest passages are given' }))),
          agent_id: Type.Optional(Nullable(IdSchema('agent'))),
          archive_id: Type.Optional(Nullable(IdSchema('archive'))),
          tags: Type.Optional(Nullable(Type.Array(Type.String()))),
          tag_match_mode: StringEnum(['any', 'all'], { default: 'any' }),
          search_mode: StringEnum(['hybrid', 'fts', 'vector'], { default: 'hybrid' }),
          limit: Type.Integer({ minimum: 1, maximum: 100, default: 50 }),
          start_date: Type.Optional(Nullable(Type.String({ description: 'ISO 8601, inclusive' }))),
          end_date: Type.Optional(Nullable(Type.String({ description: 'ISO 8601, inclusive' }))),
        }),
        response: {
          200: Type.Array(Type.Object({ passage: PassageSchema, score: Type.Number(), metadata: AnyObject })),
        },
      },
    },
    async ({ actor, body }) => {
      const agentId = body.agent_id ?? undefined
      const archiveId = body.archive_id ?? undefined
      const start = parseMoment('start_date', body.start_date)
      const end = parseMoment('end_date', body.end_date, true)
      await checkScope(context, actor.organizationId, agentId, archiveId)
      const found = await memory.searchPassages(context, {
        organizationId: actor.organizationId,
        mode: body.search_mode,
        query: body.query ?? '',
        limit: body.limit,
        agentId,
        archiveId,
        tags: body.tags ?? [],
        tagMatchMode: body.tag_match_mode,
        start,
        end,
      })
      return found.map(({ relevance, ...row }) => ({
        passage: presentPassage(row),
        score: relevance?.score ?? 0,
        metadata: relevance === null ? {} : { relevance: presentRelevance(relevance) },
      }))
    },
  )
}

/** Throws not_found for an agent or archive that the organisation does not have. */
async function checkScope(
  { db }: Context,
  organizationId: string,
  agentId: string | undefined,
  archiveId: string | undefined,
): Promise<void> {
  if (agentId !== undefined && (await findAgentArchive(db, organizationId, agentId)) === undefined) {
    throw notFound(`Agent ${agentId} was not found.`)
  }
  if (archiveId !== undefined && !(await hasArchive(db, organizationId, archiveId))) {
    throw notFound(`Archive ${archiveId} was not found.`)
  }
}
