import multipart from '@fastify/multipart'
import type { App } from '#http/app.ts'
import { DomainError } from '#platform/errors.ts'

/** Bytes of a text field beside a file. */
const MAX_FIELD_BYTES = 1024 * 1024
/** Bytes of one file where the route names no limit. */
const MAX_FILE_BYTES = 50 * 1024 * 1024

/**
 * `multipart/form-data` for the routes that take files: they read `request.parts()` themselves, as it arrives. `@fastify/multipart` is the
 * official plugin, over busboy. Such a route has `consumes: ['multipart/form-data']` in its schema; the others refuse forms, although
 * the parser is there for all.
 */
export async function acceptUploads(app: App): Promise<void> {
  app.addHook('preValidation', async (request) => {
    if (request.isMultipart() && !request.routeOptions.schema?.consumes?.includes('multipart/form-data')) {
      throw new DomainError('unsupported', 'Send the body as JSON with content-type: application/json.')
    }
  })
  await app.register(multipart, {
    limits: {
      fieldNameSize: 200,
      fieldSize: MAX_FIELD_BYTES,
      fields: 50,
      files: 1,
      fileSize: MAX_FILE_BYTES,
      parts: 60,
    },
    throwFileSizeLimit: true,
  })
}
