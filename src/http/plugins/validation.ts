import { Ajv, type Options, type ValidateFunction } from 'ajv'
import formats from 'ajv-formats'
import type { App } from '#http/app.ts'

const COMMON: Options = { strict: false, useDefaults: true, allErrors: false, allowUnionTypes: true }

/**
 * Requests are validated by Ajv. A body means what it says: `"1"` is no number. Text from the URL and headers is converted,
 * and a parameter given once fits where a list is asked for. Responses are not checked here but in the tests.
 */
export function validateRequests(app: App): void {
  const strict = addFormats(new Ajv({ ...COMMON }))
  const converting = addFormats(new Ajv({ ...COMMON, coerceTypes: 'array' }))
  app.setValidatorCompiler<object>(({ schema, httpPart }) =>
    compileLater(httpPart === 'body' ? strict : converting, schema),
  )
  // plain JSON.stringify is as fast as a compiled serializer here, and never drops a field that a schema forgot
  app.setSerializerCompiler(() => (payload) => JSON.stringify(payload))
}

/**
 * A validator that is compiled when its route is first asked for: most routes never are, and all of them together take
 * a tenth of a second and some 20 MB at every start.
 */
function compileLater(ajv: Ajv, schema: object): FastifyValidator {
  let compiled: ValidateFunction | undefined
  const validate: FastifyValidator = (data) => {
    compiled ??= ajv.compile(schema)
    const isValid = compiled(data)
    validate.errors = compiled.errors ?? null
    return isValid
  }
  return validate
}

/** What Fastify calls: a false answer leaves its reasons in `errors`. */
interface FastifyValidator {
  (data: unknown): boolean
  errors?: NonNullable<ValidateFunction['errors']> | null
}

function addFormats(ajv: Ajv): Ajv {
  formats.default(ajv, ['date-time', 'date', 'uri', 'email', 'uuid'])
  return ajv
}
