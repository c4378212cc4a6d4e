import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { countFolders } from './count-folders.ts'
import { createFolder } from './create-folder.ts'
import { deleteFileFromFolder } from './delete-file-from-folder.ts'
import { deleteFolder } from './delete-folder.ts'
import { FOLDER_ROUTES } from './folder-routes.ts'
import { getFolderByName } from './get-folder-by-name.ts'
import { listAgentsForFolder } from './list-agents-for-folder.ts'
import { listFilesForFolder } from './list-files-for-folder.ts'
import { listFolderPassages } from './list-folder-passages.ts'
import { listFolders } from './list-folders.ts'
import { modifyFolder } from './modify-folder.ts'
import { retrieveFile } from './retrieve-file.ts'
import { retrieveFolder } from './retrieve-folder.ts'
import { retrieveMetadata } from './retrieve-metadata.ts'
import { uploadFileToFolder } from './upload-file-to-folder.ts'

export function registerFolders(app: App, context: Context): void {
  for (const routes of FOLDER_ROUTES) {
    // folders:read
    listFolders(app, context, routes)
    countFolders(app, context, routes)
    retrieveMetadata(app, context, routes)
    getFolderByName(app, context, routes)
    retrieveFolder(app, context, routes)
    listAgentsForFolder(app, context, routes)
    listFolderPassages(app, context, routes)
    listFilesForFolder(app, context, routes)
    retrieveFile(app, context, routes)

    // folders:write
    createFolder(app, context, routes)
    modifyFolder(app, context, routes)
    deleteFolder(app, context, routes)
    uploadFileToFolder(app, context, routes)
    deleteFileFromFolder(app, context, routes)
  }
}
