import Type from 'typebox'
import { resetThread } from '#agent/reset-thread.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { Nullable } from '#http/wire/nullable.ts'

export function resetMessages(app: App, context: Context): void {
  app.patch(
    '/v1/agents/:agent_id/reset-messages',
    {
      config: { permission: 'messages:write' },
      schema: {
        operationId: 'reset_messages',
        tags: ['agents'],
        summary: "Delete all messages of an agent's default conversation and begin it anew",
        params: Type.Object({ agent_id: IdSchema('agent') }),
        body: Type.Optional(
          Nullable(Type.Object({ add_default_initial_messages: Type.Optional(Nullable(Type.Boolean())) })),
        ),
        response: { 200: Type.Null() },
      },
    },
    async ({ actor, body, params }) => {
      await resetThread(context.db, context.models, actor.organizationId, params.agent_id, {
        hasFirstMessages: body?.add_default_initial_messages ?? false,
      })
      return null
    },
  )
}
