import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import * as reader from '#store/folders/folder-reader.ts'
import type { FolderRoutes } from './folder-routes.ts'

export function countFolders(app: App, context: Context, { base, tag, isLegacy }: FolderRoutes): void {
  app.get(
    `${base}/count`,
    {
      config: { permission: 'folders:read' },
      schema: {
        operationId: isLegacy ? 'count_sources' : 'count_folders',
        tags: [tag],
        summary: 'Count folders',
        response: { 200: Type.Integer() },
      },
    },
    async ({ actor }) => reader.countFolders(context.db, actor.organizationId),
  )
}
