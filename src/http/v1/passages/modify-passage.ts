import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { AnyObject, Nullable } from '#http/wire/nullable.ts'
import { ExpectedVersion } from '#http/wire/versions.ts'
import * as memory from '#memory/modify-passage.ts'
import { AllowDuplicate, PassageId, PassageSchema } from './passage-schema.ts'
import { presentPassage } from './present-passage.ts'

export function modifyPassage(app: App, context: Context): void {
  app.patch(
    '/v1/passages/:passage_id',
    {
      config: { permission: 'passages:write' },
      schema: {
        operationId: 'modify_passage',
        tags: ['passages'],
        summary: 'Change a passage; what it was is kept as a version',
        params: PassageId,
        body: Type.Object({
          text: Type.Optional(Nullable(Type.String())),
          tags: Type.Optional(Nullable(Type.Array(Type.String()))),
          metadata: Type.Optional(Nullable(AnyObject)),
          expected_version: ExpectedVersion,
          allow_duplicate: AllowDuplicate,
        }),
        response: { 200: PassageSchema },
      },
    },
    async ({ actor, params, body }) => {
      const { text, tags, metadata, expected_version: expectedVersion, allow_duplicate: allowDuplicate } = body
      const change = { text, tags, metadata, expectedVersion, allowDuplicate }
      const author = { type: 'user', userId: actor.userId } as const
      return presentPassage(
        await memory.modifyPassage(context.db, actor.organizationId, params.passage_id, change, author),
      )
    },
  )
}
