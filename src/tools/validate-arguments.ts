import { Ajv, type ErrorObject, type Options, type ValidateFunction } from 'ajv'

const OPTIONS: Options = { strict: false, allErrors: true, coerceTypes: false }
const ajv = new Ajv(OPTIONS)
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
  return problemOf(validate, args)
}

function problemOf(validate: ValidateFunction, args: Record<string, unknown>): string | undefined {
  if (validate(args)) return undefined
  return (validate.errors ?? []).slice(0, 5).map(describe).join('; ')
}

/** Schemas that people bring: compiled ones, by their text, oldest first. */
const MAX_CUSTOM_SCHEMAS = 500
const custom = new Map<string, ValidateFunction | null>()

/**
 * The same for a tool of somebody else. What its schema says in regular expressions is not checked: one that is built to take for ever
 * would stop the server. A schema that is none lets everything through; the tool has its own opinion.
 */
export function findCustomArgumentProblem(schema: unknown, args: Record<string, unknown>): string | undefined {
  if (typeof schema !== 'object' || schema === null) return undefined
  const key = JSON.stringify(schema)
  let validate = custom.get(key)
  if (validate === undefined) {
    validate = compileCustom(schema)
    const [oldest] = custom.keys()
    if (custom.size >= MAX_CUSTOM_SCHEMAS && oldest !== undefined) custom.delete(oldest)
  } else custom.delete(key)
  custom.set(key, validate)
  return validate === null ? undefined : problemOf(validate, args)
}

const MATCHES_ALL = Object.assign(() => ({ test: () => true }), { code: '(() => ({ test: () => true }))' })

/** A compiler of its own, which forgets the schema: names inside of schemas of two people may be the same. */
function compileCustom(schema: object): ValidateFunction | null {
  try {
    return new Ajv({
      ...OPTIONS,
      addUsedSchema: false,
      validateFormats: false,
      logger: false,
      code: { regExp: MATCHES_ALL as unknown as NonNullable<NonNullable<Options['code']>['regExp']> },
    }).compile(schema)
  } catch {
    return null
  }
}
