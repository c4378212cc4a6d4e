import { type Duplex, PassThrough, type Readable, Transform, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib'

/** Layers of compression that a server may have put around a body. */
const MAX_LAYERS = 2
/** What is packed may be larger than what it unpacks to by no more than this factor: for what unpacks to nothing, without end. */
const MAX_PACKED_PART = 2

const DECODERS: Record<string, () => Duplex> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
  identity: () => new PassThrough(),
}

export interface Body {
  bytes: Uint8Array
  /** True where the body goes on after the limit. */
  isCut: boolean
}

/**
 * The first bytes of a body, unpacked. Stops reading at `maxBytes`, so that little that unpacks to much costs no more than the limit. Throws for an encoding that is not known, and where the body breaks off.
 * @param encoding the header `Content-Encoding`
 */
export async function readBody(
  body: Readable,
  encoding: string,
  { maxBytes, signal }: { maxBytes: number; signal: AbortSignal },
): Promise<Body> {
  const names = encoding
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean)
    .reverse()
  const decoders = names.map((name) => DECODERS[name])
  if (decoders.includes(undefined) || names.length > MAX_LAYERS) {
    body.on('error', () => {}).destroy()
    throw new Error(`its content encoding ${JSON.stringify(encoding)} is not known`)
  }
  const chunks: Uint8Array[] = []
  let rawBytes = 0
  let sizeBytes = 0
  let isCut = false
  const limit = new Transform({
    transform(chunk: Uint8Array, _encoding, next) {
      rawBytes += chunk.length
      isCut ||= rawBytes > MAX_PACKED_PART * maxBytes
      next(isCut ? new Error('the limit is reached') : null, chunk)
    },
  })
  const collect = new Writable({
    write(chunk: Uint8Array, _encoding, next) {
      const room = maxBytes - sizeBytes
      chunks.push(chunk.subarray(0, room))
      sizeBytes += Math.min(chunk.length, room)
      isCut ||= chunk.length > room
      next(isCut ? new Error('the limit is reached') : null)
    },
  })
  const stages = decoders.flatMap((create) => (create === undefined ? [] : [create()]))
  try {
    await pipeline([body, ...(stages.length > 0 ? [limit] : []), ...stages, collect], { signal })
  } catch (error) {
    if (!isCut) throw error
  }
  return { bytes: Buffer.concat(chunks), isCut }
}
