import { ParserKilled, type ParserLimits } from '#memory/files/parse/parse-document.ts'
import { readUploadedFile } from '#memory/files/read-uploaded-file.ts'
import { StorageUnavailable, UploadMissing, type UploadStorages } from '#memory/files/storage/upload-storage.ts'
import { sweepUploads } from '#memory/files/sweep-uploads.ts'
import { errorMessage } from '#platform/errors.ts'
import type { Logger } from '#platform/logger.ts'
import type { Db } from '#store/db.ts'
import {
  type ClaimedFile,
  claimFilesToRead,
  endJobsOfDeletedFiles,
  failFile,
  releaseFileToRead,
  renewFileToRead,
} from '#store/files/read-file-queue.ts'
import { Ticker } from './ticker.ts'

const TICK_MS = 500
/** Files that one process reads at once. Each has a process of its own, and up to some 300 MB of text and passages pass through here. */
const MAX_READERS = 2
const LEASE_MS = 15_000
const RENEW_MS = 4_000
/** Parsers or servers that a file may take with it. */
const MAX_ATTEMPTS = 3
const RETRY_PAUSE_MS = 2_000
/** A storage that does not work is tried again as often. */
const STORAGE_PAUSE_MS = 5_000
const TIDY_EVERY_MS = 30_000
/** No upload takes longer: bytes without a file are left over then. */
const ORPHANED_AFTER_MS = 3_600_000

export interface FileReaderOptions {
  db: Db
  storages: UploadStorages
  logger: Logger
  /** Of the process that reads a file; the defaults of `parse-document.ts` where undefined. */
  limits?: ParserLimits
  leaseMs?: number
}

/**
 * Reads uploaded files, from every replica: each is one process's for as long as it renews its lease, so that one whose reader dies is begun
 * anew by another. A file that its readers die of three times is given up with the reason.
 */
export class FileReader implements AsyncDisposable {
  readonly #options: FileReaderOptions
  readonly #ticker: Ticker
  readonly #stop = new AbortController()
  readonly #reading = new Set<Promise<void>>()
  #tidiedAt = 0

  constructor(options: FileReaderOptions) {
    this.#options = options
    const work = () => this.readDue()
    this.#ticker = new Ticker({ logger: options.logger, name: 'reading uploaded files', everyMs: TICK_MS, work })
  }

  start(): void {
    this.#ticker.start()
  }

  /** Begins with as many files as there is room for; does not wait for their end. */
  async readDue(): Promise<void> {
    const { db, leaseMs = LEASE_MS } = this.#options
    const room = MAX_READERS - this.#reading.size
    const claimed = room > 0 ? await claimFilesToRead(db, room, leaseMs) : []
    for (const file of claimed) {
      const reading = this.#read(file).finally(() => {
        this.#reading.delete(reading)
        this.#ticker.wake()
      })
      this.#reading.add(reading)
    }
    if (Date.now() - this.#tidiedAt < TIDY_EVERY_MS) return
    this.#tidiedAt = Date.now()
    await endJobsOfDeletedFiles(db)
    await this.#sweep()
  }

  /** Resolves when nothing is read any more. */
  async idle(): Promise<void> {
    await Promise.all(this.#reading)
  }

  /** Kills what reads, and gives the files back. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Stopped())
    await this.#ticker[Symbol.asyncDispose]()
    await this.idle()
  }

  async #read(file: ClaimedFile): Promise<void> {
    const { logger } = this.#options
    const fields = { file_id: file.id, attempt: file.parse_attempts }
    try {
      const began = performance.now()
      if (await this.#readWithLease(file)) {
        logger.info({ ...fields, duration_ms: Math.round(performance.now() - began) }, 'uploaded file read')
      } else logger.info(fields, 'uploaded file not read: it was deleted, cancelled or taken over')
    } catch (error) {
      logger.warn({ ...fields, error: wordsOf(error) }, 'uploaded file not read; tried again soon')
    }
    await this.#sweep()
  }

  async #sweep(): Promise<void> {
    const { db, storages, logger } = this.#options
    try {
      await sweepUploads(db, storages, ORPHANED_AFTER_MS)
    } catch (error) {
      logger.warn(
        { error: wordsOf(error) },
        'bytes of uploads that are not needed any more could not be deleted; tried again soon',
      )
    }
  }

  async #readWithLease(file: ClaimedFile): Promise<boolean> {
    const { db, storages, limits, leaseMs = LEASE_MS } = this.#options
    if (file.parse_attempts > MAX_ATTEMPTS) {
      return failFile(db, file, giveUp('the server stopped, or could not store it, each time'))
    }
    const lost = new AbortController()
    const renewing = setInterval(() => void this.#renew(file, lost), Math.min(RENEW_MS, leaseMs / 3))
    try {
      const signal = AbortSignal.any([this.#stop.signal, lost.signal])
      return await readUploadedFile({ db, storages }, file, signal, limits)
    } catch (error) {
      if (error instanceof Lost) return false
      await this.#giveBack(file, error)
      throw error
    } finally {
      clearInterval(renewing)
    }
  }

  /** A renewal that the database does not answer is no loss: the next one may come in time, and nothing is written without the token. */
  async #renew(file: ClaimedFile, lost: AbortController): Promise<void> {
    const { db, logger, leaseMs = LEASE_MS } = this.#options
    try {
      if (!(await renewFileToRead(db, file, leaseMs))) lost.abort(new Lost())
    } catch (error) {
      logger.warn({ file_id: file.id, error: errorMessage(error) }, 'lease of an uploaded file not renewed')
    }
  }

  async #giveBack(file: ClaimedFile, error: unknown): Promise<void> {
    const { db } = this.#options
    const attempts = file.parse_attempts
    if (error instanceof Stopped) await releaseFileToRead(db, file, { attempts: attempts - 1, pauseMs: 0 })
    else if (error instanceof StorageUnavailable) {
      // the file is not to blame, and waits
      const reason = 'The storage of uploads does not work at the moment; the file is read when it does.'
      await releaseFileToRead(db, file, { attempts: attempts - 1, pauseMs: STORAGE_PAUSE_MS, reason })
    } else if (error instanceof UploadMissing && attempts >= MAX_ATTEMPTS) {
      await failFile(db, file, `${error.message} Upload the file again.`)
    } else if (error instanceof ParserKilled && attempts >= MAX_ATTEMPTS)
      await failFile(db, file, giveUp(error.message))
    else await releaseFileToRead(db, file, { attempts, pauseMs: RETRY_PAUSE_MS * attempts })
  }
}

/** This process ends. */
class Stopped extends Error {
  override message = 'the server stops'
}

/** The file is not this process's any more. */
class Lost extends Error {}

const wordsOf = (error: unknown): string => (error instanceof StorageUnavailable ? error.why : errorMessage(error))

const giveUp = (why: string): string =>
  `The file could not be read in ${MAX_ATTEMPTS} attempts: ${why}. Split it, or convert it to text or Markdown, and upload that.`
