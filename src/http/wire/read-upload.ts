import type { FastifyRequest } from 'fastify'
import { MAX_FILE_BYTES } from '#http/plugins/uploads.ts'
import { DomainError, errorMessage, invalidArgument, unprocessable } from '#platform/errors.ts'

interface UploadedFile {
  fileName: string
  mediaType: string | null
  bytes: Buffer
}

/**
 * The one file of a form, in memory; other fields are passed over.
 * Throws too_large, invalid_argument for a form that cannot be read, unprocessable where the file is missing.
 */
export async function readUpload(request: FastifyRequest, field: string): Promise<UploadedFile> {
  const missing = `body.${field}: Field required. Send multipart/form-data with the file as the part \`${field}\`.`
  if (!request.isMultipart()) throw unprocessable(missing)
  let found: UploadedFile | undefined
  try {
    for await (const part of request.parts()) {
      if (part.type !== 'file') continue
      const bytes = await part.toBuffer()
      if (part.fieldname === field) found = { fileName: part.filename, mediaType: part.mimetype || null, bytes }
    }
  } catch (error) {
    throw uploadProblem(error)
  }
  if (found === undefined) throw unprocessable(missing)
  return found
}

function uploadProblem(error: unknown): unknown {
  const { code } = error as { code?: unknown }
  if (code === 'FST_REQ_FILE_TOO_LARGE') {
    return new DomainError('too_large', `The file is larger than ${MAX_FILE_BYTES / 1024 / 1024} MB. Split it.`, {
      canRetry: false,
    })
  }
  if (typeof code === 'string' && /^FST_(PARTS|FILES|FIELDS)_LIMIT$/.test(code)) {
    return new DomainError('too_large', 'The form has more parts than one file needs. Send one file at a time.', {
      canRetry: false,
    })
  }
  return invalidArgument(`INVALID_ARGUMENT: The form could not be read: ${errorMessage(error)}`)
}
