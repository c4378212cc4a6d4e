import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { PassageSchema } from '#http/v1/passages/passage-schema.ts'
import { presentPassage } from '#http/v1/passages/present-passage.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { toPageRequest } from '#http/wire/paging.ts'
import { notFound } from '#platform/errors.ts'
import { findAgentArchive } from '#store/archives/agent-archive-reader.ts'
import * as reader from '#store/passages/passage-reader.ts'

export function listPassages(app: App, context: Context): void {
  app.get(
    '/v1/agents/:agent_id/archival-memory',
    {
      config: { permission: 'agents:read' },
      schema: {
        operationId: 'list_passages',
        tags: ['agents'],
        summary: "List an agent's archival memory, oldest first unless asked otherwise",
        params: Type.Object({ agent_id: IdSchema('agent') }),
        querystring: Type.Object({
          before: Type.Optional(Type.String({ description: 'Id: passages before this one, in the order asked for' })),
          after: Type.Optional(Type.String({ description: 'Id: passages after this one, in the order asked for' })),
          limit: Type.Integer({ minimum: 1, default: 100 }),
          search: Type.Optional(Type.String({ description: 'Text that must occur, in any case' })),
          ascending: Type.Boolean({ default: true }),
        }),
        response: { 200: Type.Array(PassageSchema) },
      },
    },
    async ({ actor, params, query }) => {
      const agent = await findAgentArchive(context.db, actor.organizationId, params.agent_id)
      if (agent === undefined) throw notFound(`Agent ${params.agent_id} was not found.`)
      if (agent.archive_id === null) return []
      const filter = { archiveId: agent.archive_id, contains: query.search || undefined }
      const page = toPageRequest({ ...query, order: query.ascending ? 'asc' : 'desc' })
      const rows = await reader.listPassages(context.db, actor.organizationId, filter, page)
      return rows.map(presentPassage)
    },
  )
}
