import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { AgentId } from '#http/v1/agents/agent-schema.ts'
import { catalogOf } from '#http/v1/agents/read-agent.ts'
import { SourceSchema } from '#http/v1/folders/folder-schema.ts'
import { presentSource } from '#http/v1/folders/present-folder.ts'
import { pagingParameters, toPageRequest } from '#http/wire/paging.ts'
import { requireAgent } from '#store/agents/require-agent.ts'
import { listFolders } from '#store/folders/folder-reader.ts'
import type { AgentFolderRoutes } from './agent-folder-routes.ts'

export function listFoldersForAgent(app: App, context: Context, { base, isLegacy }: AgentFolderRoutes): void {
  app.get(
    base,
    {
      config: { permission: 'agents:read' },
      schema: {
        operationId: isLegacy ? 'list_agent_sources' : 'list_folders_for_agent',
        tags: ['agents'],
        summary: "List an agent's folders, newest first unless asked otherwise",
        params: AgentId,
        querystring: Type.Object(pagingParameters({ limit: 100 })),
        response: { 200: Type.Array(SourceSchema) },
      },
    },
    async ({ actor, params, query }) => {
      await requireAgent(context.db, actor.organizationId, params.agent_id)
      const filter = { agentId: params.agent_id }
      const rows = await listFolders(context.db, actor.organizationId, filter, toPageRequest(query))
      const catalog = await catalogOf(context, actor.organizationId)
      return rows.map((row) => presentSource(row, catalog))
    },
  )
}
