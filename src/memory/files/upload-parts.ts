import { newId } from '#platform/ids.ts'
import type { Db } from '#store/db.ts'
import { deleteUploadParts, findUploadPart, insertUploadPart } from '#store/files/file-upload.ts'

/** Of one statement, and of what is held in memory. */
const PART_BYTES = 1024 * 1024

/**
 * The bytes of a file that is being uploaded, kept in the database part by part as they arrive. Unless they are handed over to a file, they are
 * deleted when the object is disposed; those of a process that dies are found by `deleteOrphanedUploadParts`.
 */
export class UploadParts implements AsyncDisposable {
  /** Of the file that they will be. */
  readonly fileId = newId('file')
  readonly #db: Db
  readonly #organizationId: string
  readonly #content: AsyncIterator<Uint8Array>
  #pending: Uint8Array[] = []
  #pendingBytes = 0
  #count = 0
  #sizeBytes = 0
  #isOwned = true

  constructor(db: Db, organizationId: string, content: AsyncIterable<Uint8Array>) {
    this.#db = db
    this.#organizationId = organizationId
    this.#content = content[Symbol.asyncIterator]()
  }

  /** Reads until there are more than `maxBytes`, or no more. */
  async readStart(maxBytes: number): Promise<{ bytes: Uint8Array; isWhole: boolean }> {
    while (this.#pendingBytes <= maxBytes) {
      if (!(await this.#readOn())) return { bytes: Buffer.concat(this.#pending), isWhole: true }
    }
    return { bytes: Buffer.concat(this.#pending), isWhole: false }
  }

  /** Keeps everything, to the end. */
  async keep(): Promise<{ sizeBytes: number }> {
    do {
      while (this.#pendingBytes >= PART_BYTES) await this.#flush()
    } while (await this.#readOn())
    if (this.#pendingBytes > 0) await this.#flush()
    return { sizeBytes: this.#sizeBytes }
  }

  /** They belong to a file now. */
  handOver(): void {
    this.#isOwned = false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isOwned && this.#count > 0) await deleteUploadParts(this.#db, this.#organizationId, this.fileId)
  }

  async #readOn(): Promise<boolean> {
    const { done, value } = await this.#content.next()
    if (done === true) return false
    this.#pending.push(value)
    this.#pendingBytes += value.length
    this.#sizeBytes += value.length
    return true
  }

  async #flush(): Promise<void> {
    const all = Buffer.concat(this.#pending)
    const bytes = all.subarray(0, PART_BYTES)
    const rest = all.subarray(PART_BYTES)
    this.#pending = rest.length === 0 ? [] : [rest]
    this.#pendingBytes = rest.length
    this.#count += 1
    await insertUploadPart(this.#db, this.#organizationId, { fileId: this.fileId, position: this.#count - 1, bytes })
  }
}

/** What was kept of a file, part by part. */
export async function* readUploadParts(db: Db, organizationId: string, fileId: string): AsyncGenerator<Uint8Array> {
  for (let position = 0; ; position += 1) {
    const bytes = await findUploadPart(db, organizationId, { fileId, position })
    if (bytes === undefined) return
    yield bytes
  }
}
