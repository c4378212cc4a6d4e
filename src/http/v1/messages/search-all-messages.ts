import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { AnyObject, Nullable, StringEnum, Timestamp } from '#http/wire/nullable.ts'
import { presentRelevance, RelevanceSchema } from '#http/wire/relevance.ts'
import * as memory from '#memory/search-messages.ts'
import { presentPlacedMessage } from './present-placed-message.ts'
import { searchFields, toSearch } from './search-schema.ts'

/** What is found by its words, and can be told in the shapes that this search has. */
const ROLES = ['user', 'assistant', 'system'] as const

const Found = Type.Object({
  message_type: StringEnum(['system_message', 'user_message', 'assistant_message']),
  content: Type.Union([Type.String(), Type.Array(AnyObject)]),
  message_id: Type.String(),
  agent_id: Nullable(Type.String()),
  conversation_id: Nullable(Type.String({ description: 'Null for a default conversation' })),
  created_at: Timestamp,
  relevance: Nullable(RelevanceSchema),
})
type Found = Type.Static<typeof Found>

export function searchAllMessages(app: App, context: Context): void {
  app.post(
    '/v1/messages/search',
    {
      config: { permission: 'messages:read', idempotency: 'none' },
      schema: {
        operationId: 'search_all_messages',
        tags: ['messages'],
        summary: 'Search the messages of all agents, the best first',
        body: Type.Object({
          ...searchFields,
          query: Type.String(),
          roles: Type.Optional(
            Nullable(Type.Array(StringEnum(ROLES), { description: 'Whose messages; all of these unless told' })),
          ),
        }),
        response: { 200: Type.Array(Found) },
      },
    },
    async ({ actor, body }) => {
      const { query, roles } = body
      const search = { ...toSearch(body), organizationId: actor.organizationId, query, roles: roles ?? ROLES }
      const rows = await memory.searchAllMessages(context, search)
      return rows.flatMap(({ relevance, ...row }) =>
        presentPlacedMessage(row)
          .filter((wire) => ['system_message', 'user_message', 'assistant_message'].includes(wire.message_type))
          .map(({ message_type, content, message_id, agent_id, conversation_id, created_at }) => ({
            ...({ message_type, content, message_id, agent_id, conversation_id, created_at } as Omit<
              Found,
              'relevance'
            >),
            relevance: presentRelevance(relevance),
          })),
      )
    },
  )
}
