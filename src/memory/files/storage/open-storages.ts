import { errorMessage } from '#platform/errors.ts'
import type { Db } from '#store/db.ts'
import { DatabaseStorage } from './database-storage.ts'
import { FolderStorage } from './folder-storage.ts'
import { type S3Settings, S3Storage } from './s3-storage.ts'
import type { UploadStorage, UploadStorageKind, UploadStorages } from './upload-storage.ts'

export interface StorageSettings {
  current: UploadStorageKind
  /** Absolute. */
  folder: string | undefined
  s3: S3Settings | undefined
}

/**
 * The storages that the settings name. Throws where the folder of uploads cannot be written to; a bucket is asked for when there is something to store,
 * so that a server starts without it.
 */
export async function openStorages(
  resources: AsyncDisposableStack,
  db: Db,
  settings: StorageSettings,
): Promise<UploadStorages> {
  const storages = new Map<UploadStorageKind, UploadStorage>([['database', new DatabaseStorage(db)]])
  if (settings.folder !== undefined) storages.set('folder', await openFolder(settings.folder))
  if (settings.s3 !== undefined) storages.set('s3', resources.use(new S3Storage(settings.s3)))
  const current = storages.get(settings.current)
  if (current === undefined) throw new Error(`the storage ${settings.current} has no settings`)
  return { current, find: (kind) => storages.get(kind) }
}

async function openFolder(path: string): Promise<FolderStorage> {
  const folder = new FolderStorage(path)
  try {
    await folder.open()
  } catch (error) {
    throw new Error(
      `PERDURE_FILE_STORAGE_FOLDER: ${path} cannot be written to (${errorMessage(error)}). Let the user of the server own it, or name another folder.`,
      { cause: error },
    )
  }
  return folder
}
