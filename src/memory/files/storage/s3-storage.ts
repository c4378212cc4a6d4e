import type { S3Client } from '@aws-sdk/client-s3'
import { inParts } from './in-parts.ts'
import { StorageUnavailable, type UploadKey, UploadMissing, type UploadStorage } from './upload-storage.ts'

export interface S3Settings {
  bucket: string
  region: string
  /** Of a server that speaks S3; undefined for AWS. */
  endpoint: string | undefined
  /** Whether the bucket stands in the path instead of in the name of the host. */
  isPathStyle: boolean
  /** Before the names of all objects; ends with a slash, or is empty. */
  prefix: string
  /** Undefined: what the AWS SDK finds (environment, profile, web identity, container, instance). */
  credentials: { accessKeyId: string; secretAccessKey: string } | undefined
  /** Of a connection that says nothing. */
  idleTimeoutMs?: number
  maxAttempts?: number
}

/** The least that S3 takes for any part but the last. What is held in memory of an upload is twice that. */
const PART_BYTES = 5 * 1024 * 1024
const CONNECT_TIMEOUT_MS = 5_000
const IDLE_TIMEOUT_MS = 30_000
const MAX_ATTEMPTS = 3

type S3 = typeof import('@aws-sdk/client-s3')

/** Keeps uploads as objects of a bucket, `<prefix><organisation>/<file>` by their ids. The SDK is loaded with the first of them. */
export class S3Storage implements UploadStorage, AsyncDisposable {
  readonly kind = 's3'
  readonly #settings: S3Settings
  #opened: Promise<{ s3: S3; client: S3Client }> | undefined

  constructor(settings: S3Settings) {
    this.#settings = settings
  }

  async write(key: UploadKey, content: AsyncIterable<Uint8Array>): Promise<void> {
    const target = this.#targetOf(key)
    let first: Uint8Array | undefined
    let parts: MultipartUpload | undefined
    try {
      for await (const bytes of inParts(content, PART_BYTES)) {
        if (first === undefined) first = bytes
        else {
          parts ??= await this.#beginParts(target, first)
          await parts.add(bytes)
        }
      }
      if (parts === undefined) await this.#put(target, first ?? new Uint8Array())
      else await parts.complete()
    } catch (error) {
      // what this cannot end either is found by the sweep
      await parts?.abort().catch(() => undefined)
      throw error
    }
  }

  async *read(key: UploadKey, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    try {
      const { s3, client } = await this.#open()
      const { Body } = await client.send(new s3.GetObjectCommand(this.#targetOf(key)), { abortSignal: signal })
      yield* Body as AsyncIterable<Uint8Array>
    } catch (error) {
      signal.throwIfAborted()
      if ((error as Error).name === 'NoSuchKey')
        throw new UploadMissing('The bucket of uploads has nothing of the file.')
      throw unavailable(error)
    }
  }

  async delete(key: UploadKey, isBroken: boolean): Promise<void> {
    const target = this.#targetOf(key)
    await this.#attempt(({ s3, client }) => client.send(new s3.DeleteObjectCommand(target)))
    if (isBroken) await this.#abortParts(target)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    ;(await this.#opened?.catch(() => undefined))?.client.destroy()
  }

  async #put(target: Target, bytes: Uint8Array): Promise<void> {
    await this.#attempt(({ s3, client }) =>
      client.send(new s3.PutObjectCommand({ ...target, Body: bytes, ContentLength: bytes.length })),
    )
  }

  async #beginParts(target: Target, first: Uint8Array): Promise<MultipartUpload> {
    const attempt: Attempt = (work) => this.#attempt(work)
    const { UploadId } = await attempt(({ s3, client }) => client.send(new s3.CreateMultipartUploadCommand(target)))
    const parts = new MultipartUpload(attempt, { ...target, UploadId })
    try {
      await parts.add(first)
    } catch (error) {
      await parts.abort().catch(() => undefined)
      throw error
    }
    return parts
  }

  /** Those that a process began and did not live to end. */
  async #abortParts(target: Target): Promise<void> {
    const { Bucket, Key } = target
    const { Uploads = [] } = await this.#attempt(({ s3, client }) =>
      client.send(new s3.ListMultipartUploadsCommand({ Bucket, Prefix: Key })).catch((error: unknown) => {
        // a server that cannot tell them has rules of its own for what nobody completes
        if ((error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode === 501)
          return { Uploads: [] }
        throw error
      }),
    )
    for (const { UploadId } of Uploads) {
      await this.#attempt(({ s3, client }) => client.send(new s3.AbortMultipartUploadCommand({ ...target, UploadId })))
    }
  }

  #targetOf({ organizationId, fileId }: UploadKey): Target {
    const { bucket, prefix } = this.#settings
    return { Bucket: bucket, Key: `${prefix}${organizationId}/${fileId}` }
  }

  async #attempt<Result>(work: (opened: { s3: S3; client: S3Client }) => Promise<Result>): Promise<Result> {
    try {
      return await work(await this.#open())
    } catch (error) {
      throw unavailable(error)
    }
  }

  #open(): Promise<{ s3: S3; client: S3Client }> {
    this.#opened ??= openClient(this.#settings)
    return this.#opened
  }
}

interface Target {
  Bucket: string
  Key: string
}

type Attempt = <Result>(work: (opened: { s3: S3; client: S3Client }) => Promise<Result>) => Promise<Result>

/** An object that is sent in parts, one after the other: there is none before it is complete. */
class MultipartUpload {
  readonly #attempt: Attempt
  readonly #target: Target & { UploadId: string | undefined }
  readonly #parts: { PartNumber: number; ETag: string | undefined }[] = []

  constructor(attempt: Attempt, target: Target & { UploadId: string | undefined }) {
    this.#attempt = attempt
    this.#target = target
  }

  async add(bytes: Uint8Array): Promise<void> {
    const PartNumber = this.#parts.length + 1
    const part = { ...this.#target, PartNumber, Body: bytes, ContentLength: bytes.length }
    const { ETag } = await this.#attempt(({ s3, client }) => client.send(new s3.UploadPartCommand(part)))
    this.#parts.push({ PartNumber, ETag })
  }

  async complete(): Promise<void> {
    const whole = { ...this.#target, MultipartUpload: { Parts: this.#parts } }
    await this.#attempt(({ s3, client }) => client.send(new s3.CompleteMultipartUploadCommand(whole)))
  }

  async abort(): Promise<void> {
    await this.#attempt(({ s3, client }) => client.send(new s3.AbortMultipartUploadCommand(this.#target)))
  }
}

async function openClient(settings: S3Settings): Promise<{ s3: S3; client: S3Client }> {
  const s3 = await import('@aws-sdk/client-s3').catch(() => {
    throw new Error(
      'the package @aws-sdk/client-s3 is not installed; it is an optional dependency: npm install @aws-sdk/client-s3',
    )
  })
  const { region, endpoint, isPathStyle, credentials, idleTimeoutMs = IDLE_TIMEOUT_MS } = settings
  const client = new s3.S3Client({
    region,
    forcePathStyle: isPathStyle,
    maxAttempts: settings.maxAttempts ?? MAX_ATTEMPTS,
    // other servers than that of AWS do not know all of its checksums; the signature covers what is sent
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: idleTimeoutMs,
      throwOnRequestTimeout: true,
      socketTimeout: idleTimeoutMs,
    },
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
  })
  return { s3, client }
}

/** By name and words alone: errors of the SDK carry requests with their headers. */
function unavailable(error: unknown): Error {
  if (error instanceof StorageUnavailable) return error
  const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number; requestId?: string } }
  const status = $metadata?.httpStatusCode === undefined ? '' : `, status ${$metadata.httpStatusCode}`
  const request = $metadata?.requestId === undefined ? '' : `, request ${$metadata.requestId}`
  return new StorageUnavailable('s3', new Error(`S3: ${name}: ${message}${status}${request}`))
}
