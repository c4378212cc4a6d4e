import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { NullBody, sendNull } from '#http/wire/send-null.ts'
import { removeFolder } from '#memory/files/remove-folder.ts'
import { type FolderRoutes, folderParams, parameter } from './folder-routes.ts'

export function deleteFolder(app: App, context: Context, routes: FolderRoutes): void {
  const { base, key, tag, isLegacy } = routes
  app.delete(
    `${base}/:${key}`,
    {
      config: { permission: 'folders:write' },
      schema: {
        operationId: isLegacy ? 'delete_source' : 'delete_folder',
        tags: [tag],
        summary: 'Delete a folder with its files, and its place in every agent',
        params: folderParams(routes),
        response: { 200: NullBody },
      },
    },
    async ({ actor, params }, reply) => {
      await removeFolder(context.db, actor.organizationId, parameter(params, key))
      return sendNull(reply)
    },
  )
}
