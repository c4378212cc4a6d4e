import Type from 'typebox'
import { compactThread } from '#agent/compact-thread.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { CompactionResponse, CompactionSettingsSchema } from '#http/v1/agents/compaction-schema.ts'
import { presentCompaction } from '#http/v1/agents/messages/present-compaction.ts'
import { Nullable } from '#http/wire/nullable.ts'
import { ConversationId, toThread } from './conversation-id.ts'

export function compactConversation(app: App, context: Context): void {
  app.post(
    '/v1/conversations/:conversation_id/compact',
    {
      config: { permission: 'messages:write' },
      schema: {
        operationId: 'compact_conversation',
        tags: ['conversations'],
        summary: 'Summarise the older messages of a conversation; they leave its context and stay searchable',
        params: Type.Object({ conversation_id: ConversationId }),
        body: Type.Optional(
          Nullable(
            Type.Object({
              agent_id: Type.Optional(Nullable(Type.String())),
              compaction_settings: Type.Optional(Nullable(CompactionSettingsSchema)),
            }),
          ),
        ),
        response: { 200: CompactionResponse },
      },
    },
    async ({ actor, params, body }) => {
      const thread = toThread(params.conversation_id, body?.agent_id)
      const settings = body?.compaction_settings ?? null
      return presentCompaction(await compactThread(context, actor.organizationId, thread, settings))
    },
  )
}
