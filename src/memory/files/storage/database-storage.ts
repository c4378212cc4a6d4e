import type { Db } from '#store/db.ts'
import { deleteUploadParts, findUploadPart, insertUploadPart } from '#store/files/file-upload.ts'
import { inParts } from './in-parts.ts'
import { type UploadKey, UploadMissing, type UploadStorage } from './upload-storage.ts'

/** Of one statement, and of what is held in memory. */
const PART_BYTES = 1024 * 1024

/** Keeps uploads in the database, part by part as they arrive: nothing to configure, and every replica can read them. */
export class DatabaseStorage implements UploadStorage {
  readonly kind = 'database'
  readonly #db: Db

  constructor(db: Db) {
    this.#db = db
  }

  async write({ organizationId, fileId }: UploadKey, content: AsyncIterable<Uint8Array>): Promise<void> {
    let position = 0
    try {
      for await (const bytes of inParts(content, PART_BYTES)) {
        await insertUploadPart(this.#db, organizationId, { fileId, position, bytes })
        position += 1
      }
    } catch (error) {
      // those that stay are found by deleteOrphanedUploadParts
      if (position > 0) await deleteUploadParts(this.#db, organizationId, fileId).catch(() => undefined)
      throw error
    }
  }

  async *read({ organizationId, fileId }: UploadKey): AsyncGenerator<Uint8Array> {
    for (let position = 0; ; position += 1) {
      const bytes = await findUploadPart(this.#db, organizationId, { fileId, position })
      if (bytes !== undefined) yield bytes
      else if (position === 0) throw new UploadMissing('The database has nothing of the file.')
      else return
    }
  }

  async delete({ organizationId, fileId }: UploadKey): Promise<void> {
    await deleteUploadParts(this.#db, organizationId, fileId)
  }
}
