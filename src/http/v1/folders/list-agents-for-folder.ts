import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { pagingParameters, toPageRequest } from '#http/wire/paging.ts'
import { listAgents } from '#store/agents/agent-reader.ts'
import { getFolder } from '#store/folders/folder-reader.ts'
import { type FolderRoutes, folderParams, parameter } from './folder-routes.ts'

export function listAgentsForFolder(app: App, context: Context, routes: FolderRoutes): void {
  const { base, key, tag, isLegacy } = routes
  app.get(
    `${base}/:${key}/agents`,
    {
      config: { permission: 'folders:read' },
      schema: {
        operationId: isLegacy ? 'get_agents_for_source' : 'list_agents_for_folder',
        tags: [tag],
        summary: 'List the ids of the agents that have a folder, newest first unless asked otherwise',
        params: folderParams(routes),
        querystring: Type.Object(pagingParameters()),
        response: { 200: Type.Array(Type.String()) },
      },
    },
    async ({ actor, params, query }) => {
      const folderId = parameter(params, key)
      await getFolder(context.db, actor.organizationId, folderId)
      const page = { ...toPageRequest(query), orderBy: 'created_at' as const }
      const agents = await listAgents(context.db, actor.organizationId, { folderId, includesHidden: true }, page)
      return agents.map((agent) => agent.id)
    },
  )
}
