import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { fileNotFound, findFile } from '#store/files/file-reader.ts'
import { type FolderRoutes, folderParams, parameter } from './folder-routes.ts'
import { FileSchema } from './folder-schema.ts'
import { presentFile } from './present-file.ts'

export function retrieveFile(app: App, context: Context, routes: FolderRoutes): void {
  const { base, key, tag, isLegacy } = routes
  app.get(
    `${base}/:${key}/files/:file_id`,
    {
      config: { permission: 'folders:read' },
      schema: {
        operationId: isLegacy ? 'get_file_metadata' : 'retrieve_file',
        tags: [tag],
        summary: 'Retrieve a file',
        params: folderParams(routes, { file_id: IdSchema('file') }),
        querystring: Type.Object({
          include_content: Type.Boolean({ default: false, description: 'With the text of the file' }),
        }),
        response: { 200: FileSchema },
      },
    },
    async ({ actor, params, query }) => {
      const folderId = parameter(params, key)
      const fileId = parameter(params, 'file_id')
      const row = await findFile(context.db, actor.organizationId, folderId, fileId, query.include_content)
      if (row === undefined) throw fileNotFound(fileId, folderId)
      return presentFile(row)
    },
  )
}
