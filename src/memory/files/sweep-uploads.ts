import type { Db } from '#store/db.ts'
import { deleteOrphanedUploadParts } from '#store/files/read-file-queue.ts'
import { deleteStoredUpload, listLeftoverUploads, postponeStoredUpload } from '#store/files/stored-uploads.ts'
import type { UploadStorages } from './storage/upload-storage.ts'

const EXTERNAL = ['folder', 's3'] as const
const AT_ONCE = 100

/**
 * Deletes the bytes of uploads that nobody will read: those of files that are read, given up or deleted, with their folder or their tenant, at once;
 * those of uploads that broke off, after a grace. Throws StorageUnavailable: what is left then is deleted by the next sweep, of any replica, which begins behind
 * what could not be deleted.
 */
export async function sweepUploads(db: Db, storages: UploadStorages, brokenForMs: number): Promise<void> {
  await deleteOrphanedUploadParts(db, brokenForMs)
  for (const kind of EXTERNAL) {
    const storage = storages.find(kind)
    if (storage === undefined) continue
    for (const upload of await listLeftoverUploads(db, kind, { brokenForMs, limit: AT_ONCE })) {
      const { organization_id: organizationId, file_id: fileId, is_placed: isPlaced } = upload
      try {
        await storage.delete({ organizationId, fileId }, !isPlaced)
      } catch (error) {
        await postponeStoredUpload(db, organizationId, fileId)
        throw error
      }
      await deleteStoredUpload(db, organizationId, fileId)
    }
  }
}
