import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { catalogOf } from '#http/v1/agents/read-agent.ts'
import { pagingParameters, toPageRequest } from '#http/wire/paging.ts'
import * as reader from '#store/folders/folder-reader.ts'
import type { FolderRoutes } from './folder-routes.ts'
import { FolderSchema, SourceSchema } from './folder-schema.ts'
import { presentFolder, presentSource } from './present-folder.ts'

export function listFolders(app: App, context: Context, { base, tag, isLegacy }: FolderRoutes): void {
  app.get(
    base,
    {
      config: { permission: 'folders:read' },
      schema: {
        operationId: isLegacy ? 'list_sources' : 'list_folders',
        tags: [tag],
        summary: 'List folders, oldest first unless asked otherwise',
        querystring: Type.Object({
          ...pagingParameters({ order: 'asc' }),
          name: Type.Optional(Type.String({ description: 'The exact name' })),
        }),
        response: { 200: Type.Array(isLegacy ? SourceSchema : FolderSchema) },
      },
    },
    async ({ actor, query }) => {
      const filter = { name: query.name }
      const rows = await reader.listFolders(context.db, actor.organizationId, filter, toPageRequest(query))
      const catalog = await catalogOf(context, actor.organizationId)
      return rows.map((row) => (isLegacy ? presentSource(row, catalog) : presentFolder(row, catalog)))
    },
  )
}
