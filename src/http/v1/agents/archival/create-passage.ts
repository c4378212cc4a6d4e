import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { AllowDuplicate, WrittenPassageSchema } from '#http/v1/passages/passage-schema.ts'
import { presentWrittenPassage } from '#http/v1/passages/present-passage.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { parseMoment } from '#http/wire/moment.ts'
import { Nullable } from '#http/wire/nullable.ts'
import { insertPassage } from '#memory/insert-passage.ts'

export function createPassage(app: App, context: Context): void {
  app.post(
    '/v1/agents/:agent_id/archival-memory',
    {
      config: { permission: 'agents:write' },
      schema: {
        operationId: 'create_passage',
        tags: ['agents'],
        summary: "Store a passage in an agent's archival memory; the answer is a list of one",
        params: Type.Object({ agent_id: IdSchema('agent') }),
        body: Type.Object({
          text: Type.String(),
          tags: Type.Optional(Nullable(Type.Array(Type.String()))),
          created_at: Type.Optional(Nullable(Type.String({ description: 'ISO 8601; now by default' }))),
          allow_duplicate: AllowDuplicate,
        }),
        response: { 200: Type.Array(WrittenPassageSchema) },
      },
    },
    async ({ actor, params, body }) => {
      const createdAt = parseMoment('created_at', body.created_at)
      const passage = { text: body.text, tags: body.tags, createdAt, allowDuplicate: body.allow_duplicate }
      return [presentWrittenPassage(await insertPassage(context.db, actor, params.agent_id, passage))]
    },
  )
}
