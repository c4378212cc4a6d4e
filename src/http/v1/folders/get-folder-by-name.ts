import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { getFolderIdByName } from '#store/folders/folder-reader.ts'
import { type FolderRoutes, parameter } from './folder-routes.ts'

export function getFolderByName(app: App, context: Context, { base, tag, isLegacy }: FolderRoutes): void {
  const key = isLegacy ? 'source_name' : 'folder_name'
  app.get(
    `${base}/name/:${key}`,
    {
      config: { permission: 'folders:read' },
      schema: {
        operationId: isLegacy ? 'get_source_id_by_name' : 'get_folder_by_name',
        tags: [tag],
        summary: 'Get the id of the folder of a name',
        params: Type.Unsafe<Record<string, string>>(Type.Object({ [key]: Type.String() })),
        response: { 200: Type.String() },
      },
    },
    async ({ actor, params }, reply) => {
      const id = await getFolderIdByName(context.db, actor.organizationId, parameter(params, key))
      return reply.type('application/json; charset=utf-8').send(JSON.stringify(id))
    },
  )
}
