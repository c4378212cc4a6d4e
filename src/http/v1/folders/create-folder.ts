import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { catalogOf } from '#http/v1/agents/read-agent.ts'
import { toEmbeddingHandle } from '#http/wire/to-embedding-handle.ts'
import * as memory from '#memory/files/create-folder.ts'
import type { FolderRoutes } from './folder-routes.ts'
import { CreateFolderSchema, FolderSchema, SourceSchema } from './folder-schema.ts'
import { presentFolder, presentSource } from './present-folder.ts'

export function createFolder(app: App, context: Context, { base, tag, isLegacy }: FolderRoutes): void {
  app.post(
    base,
    {
      config: { permission: 'folders:write' },
      schema: {
        operationId: isLegacy ? 'create_source' : 'create_folder',
        tags: [tag],
        summary: 'Create a folder: files that agents can read',
        body: CreateFolderSchema,
        response: { 200: isLegacy ? SourceSchema : FolderSchema },
      },
    },
    async ({ actor, body }) => {
      const row = await memory.createFolder(context.db, actor, {
        name: body.name,
        description: body.description ?? null,
        instructions: body.instructions ?? null,
        metadata: body.metadata ?? null,
        embedding: toEmbeddingHandle(body) ?? context.config.defaultEmbedding ?? null,
      })
      const catalog = await catalogOf(context, actor.organizationId)
      return isLegacy ? presentSource(row, catalog) : presentFolder(row, catalog)
    },
  )
}
