import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { removeFile } from '#memory/files/remove-file.ts'
import { type FolderRoutes, folderParams, parameter } from './folder-routes.ts'

export function deleteFileFromFolder(app: App, context: Context, routes: FolderRoutes): void {
  const { base, key, tag, isLegacy } = routes
  app.delete(
    `${base}/:${key}/:file_id`,
    {
      config: { permission: 'folders:write' },
      schema: {
        operationId: isLegacy ? 'delete_file_from_source' : 'delete_file_from_folder',
        tags: [tag],
        summary: 'Delete a file, also from every agent that has it',
        params: folderParams(routes, { file_id: IdSchema('file') }),
        response: { 204: Type.Null() },
      },
    },
    async ({ actor, params }, reply) => {
      await removeFile(context.db, actor.organizationId, parameter(params, key), parameter(params, 'file_id'))
      return reply.code(204).send(null)
    },
  )
}
