import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { AgentSchema, includeParameters } from '#http/v1/agents/agent-schema.ts'
import { presentAgent } from '#http/v1/agents/present-agent.ts'
import { catalogOf } from '#http/v1/agents/read-agent.ts'
import { toAgentInclude } from '#http/v1/agents/to-agent-include.ts'
import { pagingParameters, toPageRequest } from '#http/wire/paging.ts'
import { listAgents } from '#store/agents/agent-reader.ts'
import { getArchive } from '#store/archives/archive-reader.ts'
import { ArchiveId } from './archive-schema.ts'

export function listAgentsForArchive(app: App, context: Context): void {
  app.get(
    '/v1/archives/:archive_id/agents',
    {
      config: { permission: 'archives:read' },
      schema: {
        operationId: 'list_agents_for_archive',
        tags: ['archives'],
        summary: 'List the agents that have an archive, newest first unless asked otherwise',
        params: ArchiveId,
        querystring: Type.Object({ ...pagingParameters(), ...includeParameters }),
        response: { 200: Type.Array(AgentSchema) },
      },
    },
    async ({ actor, params, query }) => {
      await getArchive(context.db, actor.organizationId, params.archive_id)
      const filter = { archiveId: params.archive_id, includesHidden: true }
      const page = { ...toPageRequest(query), orderBy: 'created_at' as const }
      const agents = await listAgents(context.db, actor.organizationId, filter, page, toAgentInclude(query))
      const catalog = await catalogOf(context, actor.organizationId)
      return agents.map((agent) => presentAgent(agent, catalog))
    },
  )
}
