import Type from 'typebox'
import { compactThread } from '#agent/compact-thread.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { CompactionResponse, CompactionSettingsSchema } from '#http/v1/agents/compaction-schema.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { Nullable } from '#http/wire/nullable.ts'
import { presentCompaction } from './present-compaction.ts'

export function summarizeMessages(app: App, context: Context): void {
  app.post(
    '/v1/agents/:agent_id/summarize',
    {
      config: { permission: 'messages:write' },
      schema: {
        operationId: 'summarize_messages',
        tags: ['agents'],
        summary:
          "Summarise the older messages of an agent's default conversation; they leave its context and stay searchable",
        params: Type.Object({ agent_id: IdSchema('agent') }),
        body: Type.Optional(
          Nullable(Type.Object({ compaction_settings: Type.Optional(Nullable(CompactionSettingsSchema)) })),
        ),
        response: { 200: CompactionResponse },
      },
    },
    async ({ actor, params, body }) => {
      const settings = body?.compaction_settings ?? null
      const done = await compactThread(context, actor.organizationId, { agentId: params.agent_id }, settings)
      return presentCompaction(done)
    },
  )
}
