import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { PassageSchema } from '#http/v1/passages/passage-schema.ts'
import { pagingParameters, toPageRequest } from '#http/wire/paging.ts'
import * as reader from '#store/files/file-reader.ts'
import { getFolder } from '#store/folders/folder-reader.ts'
import { type FolderRoutes, folderParams, parameter } from './folder-routes.ts'
import { presentFilePassage } from './present-file.ts'

const FilePassageSchema = Type.Object({
  ...PassageSchema.properties,
  source_id: Type.String(),
  file_id: Type.String(),
  file_name: Type.String(),
})

export function listFolderPassages(app: App, context: Context, routes: FolderRoutes): void {
  const { base, key, tag, isLegacy } = routes
  app.get(
    `${base}/:${key}/passages`,
    {
      config: { permission: 'folders:read' },
      schema: {
        operationId: isLegacy ? 'list_source_passages' : 'list_folder_passages',
        tags: [tag],
        summary: "List the pieces that a folder's files were cut into for search, newest first unless asked otherwise",
        params: folderParams(routes),
        querystring: Type.Object(pagingParameters({ limit: 100 })),
        response: { 200: Type.Array(FilePassageSchema) },
      },
    },
    async ({ actor, params, query }) => {
      const folderId = parameter(params, key)
      await getFolder(context.db, actor.organizationId, folderId)
      const rows = await reader.listFolderPassages(context.db, actor.organizationId, folderId, toPageRequest(query))
      return rows.map(presentFilePassage)
    },
  )
}
