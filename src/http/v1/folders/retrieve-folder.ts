import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { catalogOf } from '#http/v1/agents/read-agent.ts'
import { getFolder } from '#store/folders/folder-reader.ts'
import { type FolderRoutes, folderParams, parameter } from './folder-routes.ts'
import { FolderSchema, SourceSchema } from './folder-schema.ts'
import { presentFolder, presentSource } from './present-folder.ts'

export function retrieveFolder(app: App, context: Context, routes: FolderRoutes): void {
  const { base, key, tag, isLegacy } = routes
  app.get(
    `${base}/:${key}`,
    {
      config: { permission: 'folders:read' },
      schema: {
        operationId: isLegacy ? 'retrieve_source' : 'retrieve_folder',
        tags: [tag],
        summary: 'Retrieve a folder',
        params: folderParams(routes),
        response: { 200: isLegacy ? SourceSchema : FolderSchema },
      },
    },
    async ({ actor, params }) => {
      const row = await getFolder(context.db, actor.organizationId, parameter(params, key))
      const catalog = await catalogOf(context, actor.organizationId)
      return isLegacy ? presentSource(row, catalog) : presentFolder(row, catalog)
    },
  )
}
