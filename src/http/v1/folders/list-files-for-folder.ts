import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { pagingParameters, toPageRequest } from '#http/wire/paging.ts'
import { listFiles } from '#store/files/file-reader.ts'
import { getFolder } from '#store/folders/folder-reader.ts'
import { type FolderRoutes, folderParams, parameter } from './folder-routes.ts'
import { FileSchema } from './folder-schema.ts'
import { presentFile } from './present-file.ts'

/** Texts are up to 50 MB each. */
const MAX_FILES_WITH_CONTENT = 20

/** Of the older name alone. */
const CHECK_STATUS = Type.Optional(Type.Boolean({ description: 'Has no effect: the status is always the one of now' }))

export function listFilesForFolder(app: App, context: Context, routes: FolderRoutes): void {
  const { base, key, tag, isLegacy } = routes
  app.get(
    `${base}/:${key}/files`,
    {
      config: { permission: 'folders:read' },
      schema: {
        operationId: isLegacy ? 'list_source_files' : 'list_files_for_folder',
        tags: [tag],
        summary: "List a folder's files, newest first unless asked otherwise",
        params: folderParams(routes),
        querystring: Type.Object({
          ...pagingParameters({ limit: 1000 }),
          ...(isLegacy ? { check_status_updates: CHECK_STATUS } : {}),
          include_content: Type.Boolean({
            default: false,
            description: `With the text of each file; ${MAX_FILES_WITH_CONTENT} at most are given then`,
          }),
        }),
        response: { 200: Type.Array(FileSchema) },
      },
    },
    async ({ actor, params, query }) => {
      const folderId = parameter(params, key)
      await getFolder(context.db, actor.organizationId, folderId)
      const page = toPageRequest(query)
      const withContent = query.include_content
      const limit = withContent ? Math.min(page.limit, MAX_FILES_WITH_CONTENT) : page.limit
      const source = { folderId, withContent }
      return (await listFiles(context.db, actor.organizationId, source, { ...page, limit })).map(presentFile)
    },
  )
}
