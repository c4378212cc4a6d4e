import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { StringEnum } from '#http/wire/nullable.ts'
import { pagingParameters, toPageRequest } from '#http/wire/paging.ts'
import * as reader from '#store/conversations/conversation-reader.ts'
import { ConversationSchema } from './conversation-schema.ts'
import { presentConversation } from './present-conversation.ts'

export function listConversations(app: App, context: Context): void {
  app.get(
    '/v1/conversations',
    {
      config: { permission: 'conversations:read' },
      schema: {
        operationId: 'list_conversations',
        tags: ['conversations'],
        summary: 'List conversations, newest first unless asked otherwise; those without a date to order by come last',
        querystring: Type.Object({
          ...pagingParameters({ orderBy: ['created_at', 'last_run_completion', 'last_message_at'] }),
          agent_id: Type.Optional(IdSchema('agent')),
          summary_search: Type.Optional(Type.String({ description: 'Text that the summary has in it' })),
          archive_status: StringEnum(['unarchived', 'archived', 'all'], { default: 'unarchived' }),
        }),
        response: { 200: Type.Array(ConversationSchema) },
      },
    },
    async ({ actor, query }) => {
      const filter = {
        agentId: query.agent_id,
        summarySearch: query.summary_search || undefined,
        archiveStatus: query.archive_status,
      }
      const page = { ...toPageRequest(query), orderBy: query.order_by }
      const rows = await reader.listConversations(context.db, actor.organizationId, filter, page)
      return rows.map(presentConversation)
    },
  )
}
