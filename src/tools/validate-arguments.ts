import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'

const ajv = new Ajv({ strict: false, allErrors: true, coerceTypes: false })
const compiled = new WeakMap<object, ValidateFunction>()

function describe(error: ErrorObject): string {
  const where = error.instancePath === '' ? 'the arguments' : error.instancePath.slice(1).replaceAll('/', '.')
  const allowed = error.keyword === 'enum' ? ` (${(error.params.allowedValues as unknown[]).join(', ')})` : ''
  return `${where} ${error.message ?? 'is not valid'}${allowed}`
}

/**
 * Why these arguments do not fit the tool's schema, in words for the model; undefined when they do. Nothing is coerced:
 * a string for an array is an error, not one element.
 */
export function findArgumentProblem(
  schema: Record<string, unknown>,
  args: Record<string, unknown>,
): string | undefined {
  let validate = compiled.get(schema)
  if (validate === undefined) {
    validate = ajv.compile(schema)
    compiled.set(schema, validate)
  }
  if (validate(args)) return undefined
  return (validate.errors ?? []).slice(0, 5).map(describe).join('; ')
}
