import { DomainError } from '#platform/errors.ts'

/** Which bytes are meant. Both ids are made by the server: nothing that a client says becomes the name of a file or an object. */
export interface UploadKey {
  organizationId: string
  fileId: string
}

export type UploadStorageKind = 'database' | 'folder' | 's3'

/**
 * Where the bytes of uploads wait until they are read. All streams, in both directions: what is held in memory is some MB, however large the file.
 * Whatever fails is StorageUnavailable, or what the database throws.
 */
export interface UploadStorage {
  readonly kind: UploadStorageKind
  /** Keeps everything, or nothing where `content` or the storage fails. Throws what `content` throws as it is. */
  write(key: UploadKey, content: AsyncIterable<Uint8Array>): Promise<void>
  /** Throws UploadMissing where nothing is kept. */
  read(key: UploadKey, signal: AbortSignal): AsyncIterable<Uint8Array>
  /** Does nothing where nothing is kept. `isBroken` where the process that wrote may have died: then what it left half done goes too. */
  delete(key: UploadKey, isBroken: boolean): Promise<void>
}

/** The storages that a server has. */
export interface UploadStorages {
  /** Where new uploads go. */
  readonly current: UploadStorage
  /** Those that it can read, for uploads that wait since other settings. */
  find(kind: UploadStorageKind): UploadStorage | undefined
}

const NAMES = { database: 'the database', folder: 'the folder of uploads', s3: 'the bucket of uploads' } as const

/** The storage does not do its work at the moment. The cause says why, to the operator; it names no key. */
export class StorageUnavailable extends DomainError {
  constructor(kind: UploadStorageKind, cause: Error) {
    super(
      'unavailable',
      `The file could not be stored: ${NAMES[kind]} does not work at the moment. Nothing of it was kept; send it again later. Why stands in the log of the server.`,
      { retryAfterSeconds: 5, cause },
    )
  }

  /** For the log, and for a file that waits. */
  get why(): string {
    return (this.cause as Error).message
  }
}

/** The storage has nothing, or not everything, of a file. */
export class UploadMissing extends Error {}
