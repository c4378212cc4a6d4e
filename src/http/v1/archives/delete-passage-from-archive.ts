import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { removeArchivePassage } from '#memory/remove-passage.ts'
import { ArchiveId } from './archive-schema.ts'

export function deletePassageFromArchive(app: App, context: Context): void {
  app.delete(
    '/v1/archives/:archive_id/passages/:passage_id',
    {
      config: { permission: 'archives:write' },
      schema: {
        operationId: 'delete_passage_from_archive',
        tags: ['archives'],
        summary: 'Delete a passage from an archive',
        params: Type.Object({ ...ArchiveId.properties, passage_id: IdSchema('passage') }),
        response: { 204: Type.Null() },
      },
    },
    async ({ actor, params }, reply) => {
      await removeArchivePassage(context.db, actor.organizationId, params.archive_id, params.passage_id)
      return reply.code(204).send(null)
    },
  )
}
