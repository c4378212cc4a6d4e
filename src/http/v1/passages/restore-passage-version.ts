import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { ExpectedVersion } from '#http/wire/versions.ts'
import { restorePassage } from '#memory/passage-versions.ts'
import { AllowDuplicate, PassageSchema } from './passage-schema.ts'
import { PassageVersionId } from './passage-version-schema.ts'
import { presentPassage } from './present-passage.ts'

export function restorePassageVersion(app: App, context: Context): void {
  app.post(
    '/v1/passages/:passage_id/versions/:version/restore',
    {
      config: { permission: 'passages:write' },
      schema: {
        operationId: 'restore_passage_version',
        tags: ['passages'],
        summary: 'Give a passage the text, tags and metadata of one of its versions, as a new version',
        params: PassageVersionId,
        body: Type.Object({ expected_version: ExpectedVersion, allow_duplicate: AllowDuplicate }),
        response: { 200: PassageSchema },
      },
    },
    async ({ actor, params, body }) => {
      const wanted = {
        version: params.version,
        expectedVersion: body.expected_version,
        allowDuplicate: body.allow_duplicate,
      }
      const author = { type: 'user', userId: actor.userId } as const
      return presentPassage(await restorePassage(context.db, actor.organizationId, params.passage_id, wanted, author))
    },
  )
}
