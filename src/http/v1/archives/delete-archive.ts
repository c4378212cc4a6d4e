import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { removeArchive } from '#memory/remove-archive.ts'
import { ArchiveId } from './archive-schema.ts'

export function deleteArchive(app: App, context: Context): void {
  app.delete(
    '/v1/archives/:archive_id',
    {
      config: { permission: 'archives:write' },
      schema: {
        operationId: 'delete_archive',
        tags: ['archives'],
        summary: 'Delete an archive with its passages, and its place in every agent',
        params: ArchiveId,
        response: { 204: Type.Null() },
      },
    },
    async ({ actor, params }, reply) => {
      await removeArchive(context.db, actor.organizationId, params.archive_id)
      return reply.code(204).send(null)
    },
  )
}
