import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { StringEnum } from '#http/wire/nullable.ts'
import { readUpload, refuseLargeForm } from '#http/wire/read-upload.ts'
import { storeFile } from '#memory/files/store-file.ts'
import { getFolder } from '#store/folders/folder-reader.ts'
import { type FolderRoutes, folderParams, parameter } from './folder-routes.ts'
import { FileSchema } from './folder-schema.ts'
import { presentFile } from './present-file.ts'

/** For the description: the form is read, and what is missing found, in the handler. */
const FormSchema = Type.Object({
  file: Type.Optional(Type.String({ contentMediaType: 'application/octet-stream', description: 'The file' })),
})

export function uploadFileToFolder(app: App, context: Context, routes: FolderRoutes): void {
  const { base, key, tag, isLegacy } = routes
  app.post(
    `${base}/:${key}/upload`,
    {
      config: { permission: 'folders:write' },
      schema: {
        operationId: isLegacy ? 'upload_file_to_source' : 'upload_file_to_folder',
        tags: [tag],
        summary:
          'Upload a file as the part `file` of a form: text, HTML, PDF, DOCX, PPTX or XLSX. Short texts can be read and searched when the answer comes, the rest when `processing_status` is `completed`',
        consumes: ['multipart/form-data'],
        params: folderParams(routes),
        querystring: Type.Object({
          duplicate_handling: StringEnum(['skip', 'error', 'suffix', 'replace'], {
            default: 'suffix',
            description: 'What to do where the folder has a file of this name',
          }),
          name: Type.Optional(Type.String({ description: 'What to call the file instead of its own name' })),
        }),
        body: FormSchema,
        response: { 200: FileSchema },
      },
    },
    async (request, reply) => {
      const { actor, params, query } = request
      const folderId = parameter(params, key)
      refuseLargeForm(request, reply, context.config.maxUploadBytes)
      // before the file, which may be large
      await getFolder(context.db, actor.organizationId, folderId)
      const { file, wasSkipped } = await readUpload(request, 'file', context.config.maxUploadBytes, (upload) =>
        storeFile({ db: context.db, storage: context.uploads.current }, actor, folderId, {
          ...upload,
          name: query.name || null,
          duplicateHandling: query.duplicate_handling,
        }),
      )
      if (wasSkipped) reply.header('x-upload-result', 'skipped')
      return presentFile(file)
    },
  )
}
