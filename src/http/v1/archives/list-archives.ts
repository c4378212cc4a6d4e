import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { catalogOf } from '#http/v1/agents/read-agent.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { pagingParameters, toPageRequest } from '#http/wire/paging.ts'
import * as reader from '#store/archives/archive-reader.ts'
import { ArchiveSchema } from './archive-schema.ts'
import { presentArchive } from './present-archive.ts'

export function listArchives(app: App, context: Context): void {
  app.get(
    '/v1/archives',
    {
      config: { permission: 'archives:read' },
      schema: {
        operationId: 'list_archives',
        tags: ['archives'],
        summary: 'List archives, newest first unless asked otherwise',
        querystring: Type.Object({
          ...pagingParameters(),
          name: Type.Optional(Type.String({ description: 'The exact name' })),
          agent_id: Type.Optional(IdSchema('agent', 'Only the archive of this agent')),
        }),
        response: { 200: Type.Array(ArchiveSchema) },
      },
    },
    async ({ actor, query }) => {
      const filter = { name: query.name, agentId: query.agent_id }
      const rows = await reader.listArchives(context.db, actor.organizationId, filter, toPageRequest(query))
      const catalog = await catalogOf(context, actor.organizationId)
      return rows.map((row) => presentArchive(row, catalog))
    },
  )
}
