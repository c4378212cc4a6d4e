import type { FastifyReply, FastifyRequest } from 'fastify'
import { DomainError, errorMessage, invalidArgument, unprocessable } from '#platform/errors.ts'

interface UploadedFile {
  fileName: string
  mediaType: string | null
  /** As it arrives; throws too_large where it is larger than it may be. */
  content: AsyncIterable<Uint8Array>
}

/** Bytes of a form beside its file: names and boundaries, and fields that are passed over. */
const FORM_BYTES = 1024 * 1024

/** Refuses a form that says to be too large before a byte of it is read. Throws too_large. */
export function refuseLargeForm(request: FastifyRequest, reply: FastifyReply, maxBytes: number): void {
  if (Number(request.headers['content-length'] ?? 0) <= maxBytes + FORM_BYTES) return
  // what still comes is not waited for
  reply.header('connection', 'close')
  throw tooLarge(maxBytes)
}

/**
 * Gives the one file of a form to `take`, as it arrives; other fields are passed over.
 * Throws too_large, invalid_argument for a form that cannot be read, unprocessable where the file is missing, and what `take` throws.
 */
export async function readUpload<Result>(
  request: FastifyRequest,
  field: string,
  maxBytes: number,
  take: (file: UploadedFile) => Promise<Result>,
): Promise<Result> {
  const missing = `body.${field}: Field required. Send multipart/form-data with the file as the part \`${field}\`.`
  if (!request.isMultipart()) throw unprocessable(missing)
  let taken: { result: Result } | undefined
  let refusal: { error: unknown } | undefined
  try {
    for await (const part of request.parts({ limits: { fileSize: maxBytes } })) {
      if (part.type !== 'file') continue
      if (part.fieldname !== field) {
        part.file.resume()
        continue
      }
      const content = contentOf(part.file, maxBytes)
      const file = { fileName: part.filename, mediaType: part.mimetype || null, content }
      const result = await take(file).catch((error: unknown) => {
        refusal = { error }
        throw error
      })
      taken = { result }
    }
  } catch (error) {
    // what still comes is thrown away, so that the connection can be used again
    request.raw.unpipe()
    request.raw.resume()
    throw refusal === undefined ? uploadProblem(error, maxBytes) : refusal.error
  }
  if (taken === undefined) throw unprocessable(missing)
  return taken.result
}

async function* contentOf(
  file: AsyncIterable<Uint8Array> & { truncated: boolean },
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of file) yield chunk
  } catch (error) {
    throw uploadProblem(error, maxBytes)
  }
  if (file.truncated) throw tooLarge(maxBytes)
}

const tooLarge = (maxBytes: number): DomainError =>
  new DomainError('too_large', `The file is larger than ${maxBytes / 1024 / 1024} MB. Split it.`, { canRetry: false })

function uploadProblem(error: unknown, maxBytes: number): unknown {
  const { code } = error as { code?: unknown }
  if (code === 'FST_REQ_FILE_TOO_LARGE') return tooLarge(maxBytes)
  if (typeof code === 'string' && /^FST_(PARTS|FILES|FIELDS)_LIMIT$/.test(code)) {
    return new DomainError('too_large', 'The form has more parts than one file needs. Send one file at a time.', {
      canRetry: false,
    })
  }
  return invalidArgument(`INVALID_ARGUMENT: The form could not be read: ${errorMessage(error)}`)
}
