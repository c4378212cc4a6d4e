import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { WrittenPassageSchema } from '#http/v1/passages/passage-schema.ts'
import { presentWrittenPassage } from '#http/v1/passages/present-passage.ts'
import { insertArchivePassages } from '#memory/insert-archive-passages.ts'
import { getArchive } from '#store/archives/archive-reader.ts'
import { ArchiveId, NewPassageSchema } from './archive-schema.ts'
import { toNewPassage } from './to-new-passage.ts'

const MAX_PASSAGES = 10_000

export function createPassagesInArchive(app: App, context: Context): void {
  app.post(
    '/v1/archives/:archive_id/passages/batch',
    {
      config: { permission: 'archives:write' },
      schema: {
        operationId: 'create_passages_in_archive',
        tags: ['archives'],
        summary: 'Store many passages in an archive: all of them or none',
        params: ArchiveId,
        body: Type.Object({ passages: Type.Array(NewPassageSchema, { maxItems: MAX_PASSAGES }) }),
        response: { 200: Type.Array(WrittenPassageSchema) },
      },
    },
    async ({ actor, params, body }) => {
      const { archive_id: archiveId } = params
      await getArchive(context.db, actor.organizationId, archiveId)
      const passages = body.passages.map((passage, index) => toNewPassage(passage, `passages.${index}.created_at`))
      return (await insertArchivePassages(context.db, actor, archiveId, passages)).map(presentWrittenPassage)
    },
  )
}
