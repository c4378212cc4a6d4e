import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { catalogOf } from '#http/v1/agents/read-agent.ts'
import { getArchive } from '#store/archives/archive-reader.ts'
import { ArchiveId, ArchiveSchema } from './archive-schema.ts'
import { presentArchive } from './present-archive.ts'

export function retrieveArchive(app: App, context: Context): void {
  app.get(
    '/v1/archives/:archive_id',
    {
      config: { permission: 'archives:read' },
      schema: {
        operationId: 'retrieve_archive',
        tags: ['archives'],
        summary: 'Retrieve an archive',
        params: ArchiveId,
        response: { 200: ArchiveSchema },
      },
    },
    async ({ actor, params }) => {
      const row = await getArchive(context.db, actor.organizationId, params.archive_id)
      return presentArchive(row, await catalogOf(context, actor.organizationId))
    },
  )
}
