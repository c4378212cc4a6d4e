import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { catalogOf } from '#http/v1/agents/read-agent.ts'
import { Nullable } from '#http/wire/nullable.ts'
import * as memory from '#memory/modify-archive.ts'
import { ArchiveId, ArchiveSchema } from './archive-schema.ts'
import { presentArchive } from './present-archive.ts'

export function modifyArchive(app: App, context: Context): void {
  app.patch(
    '/v1/archives/:archive_id',
    {
      config: { permission: 'archives:write' },
      schema: {
        operationId: 'modify_archive',
        tags: ['archives'],
        summary: 'Change the name or the description of an archive',
        params: ArchiveId,
        body: Type.Object({
          name: Type.Optional(Nullable(Type.String())),
          description: Type.Optional(Nullable(Type.String())),
        }),
        response: { 200: ArchiveSchema },
      },
    },
    async ({ actor, params, body }) => {
      const row = await memory.modifyArchive(context.db, actor, params.archive_id, body)
      return presentArchive(row, await catalogOf(context, actor.organizationId))
    },
  )
}
