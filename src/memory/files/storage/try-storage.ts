import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { errorMessage } from '#platform/errors.ts'
import { DEFAULT_ORGANIZATION_ID, newId } from '#platform/ids.ts'
import { FolderStorage } from './folder-storage.ts'
import type { StorageSettings } from './open-storages.ts'
import { S3Storage } from './s3-storage.ts'
import { StorageUnavailable } from './upload-storage.ts'

/** Stores, reads and deletes a few bytes where uploads go to; gives what is in the way, in words for the operator. The database is looked at elsewhere. */
export async function tryStorage({ current, folder, s3 }: StorageSettings): Promise<string | undefined> {
  await using resources = new AsyncDisposableStack()
  try {
    if (current === 'folder' && folder !== undefined) {
      const storage = new FolderStorage(folder)
      await storage.open()
      await roundTrip(storage)
    } else if (current === 's3' && s3 !== undefined) await roundTrip(resources.use(new S3Storage(s3)))
    return undefined
  } catch (error) {
    return error instanceof StorageUnavailable ? error.why : errorMessage(error)
  }
}

async function roundTrip(storage: FolderStorage | S3Storage): Promise<void> {
  const key = { organizationId: DEFAULT_ORGANIZATION_ID, fileId: newId('file') }
  await storage.write(key, Readable.from([Buffer.from('perdure doctor')]))
  await buffer(storage.read(key, new AbortController().signal))
  await storage.delete(key, false)
}
