import type { Db } from '#store/db.ts'
import { deleteOrphanedUploadParts } from '#store/files/read-file-queue.ts'
import { deleteStoredUpload, listLeftoverUploads, postponeStoredUpload } from '#store/files/stored-uploads.ts'
import type { UploadStorage, UploadStorages } from './storage/upload-storage.ts'

const EXTERNAL = ['folder', 's3'] as const
const AT_ONCE = 100

/**
 * Deletes the bytes of uploads that nobody will read: those of files that are read, given up or deleted, with their folder or their tenant, at once;
 * those of uploads that broke off, after a grace. Throws StorageUnavailable, after the other storage was looked at: what is left then is deleted by the next sweep,
 * of any replica, which begins behind what could not be deleted.
 */
export async function sweepUploads(db: Db, storages: UploadStorages, brokenForMs: number): Promise<void> {
  await deleteOrphanedUploadParts(db, brokenForMs)
  const swept = await Promise.allSettled(
    EXTERNAL.map((kind) => sweepStorage(db, storages.find(kind), kind, brokenForMs)),
  )
  const failed = swept.find(({ status }) => status === 'rejected')
  if (failed?.status === 'rejected') throw failed.reason
}

async function sweepStorage(
  db: Db,
  storage: UploadStorage | undefined,
  kind: (typeof EXTERNAL)[number],
  brokenForMs: number,
): Promise<void> {
  if (storage === undefined) return
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
