import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { WrittenPassageSchema } from '#http/v1/passages/passage-schema.ts'
import { presentWrittenPassage } from '#http/v1/passages/present-passage.ts'
import { insertArchivePassages } from '#memory/insert-archive-passages.ts'
import { ArchiveId, NewPassageSchema } from './archive-schema.ts'
import { toNewPassage } from './to-new-passage.ts'

export function createPassageInArchive(app: App, context: Context): void {
  app.post(
    '/v1/archives/:archive_id/passages',
    {
      config: { permission: 'archives:write' },
      schema: {
        operationId: 'create_passage_in_archive',
        tags: ['archives'],
        summary: 'Store a passage in an archive',
        params: ArchiveId,
        body: NewPassageSchema,
        response: { 200: WrittenPassageSchema },
      },
    },
    async ({ actor, params, body }) => {
      const [row] = await insertArchivePassages(context.db, actor, params.archive_id, [
        toNewPassage(body, 'created_at'),
      ])
      if (row === undefined) throw new Error('no passage was stored')
      return presentWrittenPassage(row)
    },
  )
}
