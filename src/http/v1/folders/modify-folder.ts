import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { catalogOf } from '#http/v1/agents/read-agent.ts'
import { toEmbeddingHandle } from '#http/wire/to-embedding-handle.ts'
import * as memory from '#memory/files/modify-folder.ts'
import { type FolderRoutes, folderParams, parameter } from './folder-routes.ts'
import { FolderSchema, SourceSchema, UpdateFolderSchema } from './folder-schema.ts'
import { presentFolder, presentSource } from './present-folder.ts'

export function modifyFolder(app: App, context: Context, routes: FolderRoutes): void {
  const { base, key, tag, isLegacy } = routes
  app.patch(
    `${base}/:${key}`,
    {
      config: { permission: 'folders:write' },
      schema: {
        operationId: isLegacy ? 'modify_source' : 'modify_folder',
        tags: [tag],
        summary: 'Change a folder; its files are called by its new name',
        params: folderParams(routes),
        body: UpdateFolderSchema,
        response: { 200: isLegacy ? SourceSchema : FolderSchema },
      },
    },
    async ({ actor, params, body }) => {
      const { embedding_config: config, ...fields } = body
      const embedding = config === undefined ? undefined : toEmbeddingHandle({ embedding_config: config })
      const row = await memory.modifyFolder(context.db, actor, parameter(params, key), { ...fields, embedding })
      const catalog = await catalogOf(context, actor.organizationId)
      return isLegacy ? presentSource(row, catalog) : presentFolder(row, catalog)
    },
  )
}
