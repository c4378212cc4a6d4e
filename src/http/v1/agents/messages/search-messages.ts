import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { searchFields, toSearch } from '#http/v1/messages/search-schema.ts'
import { Nullable, StringEnum } from '#http/wire/nullable.ts'
import { InternalMessageSchema, MESSAGE_ROLES, presentInternalMessage } from '#http/wire/present-internal-message.ts'
import { presentRelevance, RelevanceSchema } from '#http/wire/relevance.ts'
import * as memory from '#memory/search-messages.ts'
import type { MessageRole } from '#store/messages/message-row.ts'
import { messageText } from '#store/messages/message-text.ts'

export function searchMessages(app: App, context: Context): void {
  app.post(
    '/v1/agents/messages/search',
    {
      config: { permission: 'messages:read', idempotency: 'none' },
      schema: {
        operationId: 'search_messages',
        tags: ['agents'],
        summary: 'Search the messages of all agents, the best first; without a query, the newest',
        body: Type.Object({
          ...searchFields,
          query: Type.Optional(Nullable(Type.String())),
          roles: Type.Optional(Nullable(Type.Array(StringEnum(MESSAGE_ROLES)))),
          project_id: Type.Optional(Nullable(Type.String())),
          template_id: Type.Optional(Nullable(Type.String())),
        }),
        response: {
          200: Type.Array(
            Type.Object({
              embedded_text: Type.String(),
              message: InternalMessageSchema,
              fts_rank: Nullable(Type.Integer({ description: '1 for the best' })),
              vector_rank: Nullable(Type.Integer({ description: '1 for the best' })),
              rrf_score: Type.Number(),
              relevance: Nullable(RelevanceSchema),
            }),
          ),
        },
      },
    },
    async ({ actor, body }) => {
      const rows = await memory.searchAllMessages(context, {
        ...toSearch(body),
        organizationId: actor.organizationId,
        query: body.query ?? '',
        roles: body.roles?.filter((role): role is MessageRole & typeof role => role !== 'function'),
        projectId: body.project_id ?? undefined,
        templateId: body.template_id ?? undefined,
      })
      return rows.map(({ relevance, ...row }) => ({
        embedded_text: messageText(row),
        message: presentInternalMessage(row, row.shown_conversation_id),
        fts_rank: relevance?.ftsRank ?? null,
        vector_rank: relevance?.vectorRank ?? null,
        rrf_score: presentRelevance(relevance)?.rrf_score ?? 0,
        relevance: presentRelevance(relevance),
      }))
    },
  )
}
