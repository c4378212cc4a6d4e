import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import type { AgentBundle } from '#agent/agent-file/bundle.ts'
import { parseJson } from '#http/plugins/json-body.ts'
import { DomainError, invalidArgument } from '#platform/errors.ts'
import { corrupted } from './corrupted.ts'
import { type CurrentFile, CurrentFileSchema, type LegacyFile, LegacyFileSchema } from './file-schema.ts'
import { readCurrentFile } from './read-current-file.ts'
import { readLegacyFile } from './read-legacy-file.ts'

/** The agents in the bytes of an agent file, of either format. Throws invalid_argument that says what is wrong and where. */
export function readAgentFile(bytes: Uint8Array): AgentBundle {
  let value = parse(bytes)
  // an export that a program took for a value and wrote as JSON once more
  if (typeof value === 'string') value = parse(Buffer.from(value))
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw corrupted('The file must be a JSON object.')
  }
  if ('agents' in value) return readCurrentFile(check<CurrentFile>('current', value))
  if ('core_memory' in value) return readLegacyFile(check<LegacyFile>('legacy', value))
  throw corrupted(
    "The file has neither 'agents', as files of today have, nor 'core_memory', as the files before them had.",
  )
}

function parse(bytes: Uint8Array): unknown {
  try {
    const value = parseJson(bytes)
    if (bytes.length === 0) throw invalidArgument('The file is empty.')
    return value
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    const { detail } = error.options
    const text = typeof detail === 'string' ? detail : error.message
    throw corrupted(text.replace(/^body\.?/, '').replace('The request body', 'The file'))
  }
}

const SCHEMAS = { current: CurrentFileSchema, legacy: LegacyFileSchema }
const compiled = new Map<keyof typeof SCHEMAS, ValidateFunction>()

/** The value as the format's type; compiled when the first file comes. */
function check<File>(format: keyof typeof SCHEMAS, value: object): File {
  let validate = compiled.get(format)
  if (validate === undefined) {
    validate = new Ajv({ strict: false, allErrors: false, verbose: false }).compile(SCHEMAS[format])
    compiled.set(format, validate)
  }
  if (!validate(value)) throw corrupted(describe(validate.errors ?? []))
  return value as File
}

/** Of a value that fits no member of a union, the error that tells most: the deepest, and never "must be null". */
function describe(errors: readonly ErrorObject[]): string {
  const telling = errors.filter((error) => error.keyword !== 'anyOf' && error.params.type !== 'null')
  const [error] = telling.toSorted((a, b) => b.instancePath.length - a.instancePath.length)
  if (error === undefined) return 'A value has the wrong type.'
  const allowed = error.keyword === 'enum' ? ` (${(error.params.allowedValues as string[]).join(', ')})` : ''
  return `${toPlace(error.instancePath)} ${error.message ?? 'is not valid'}${allowed}.`
}

/** `/agents/0/name` → `agents[0].name`. */
const toPlace = (path: string): string =>
  path
    .replace(/\/(\d+)(?=\/|$)/g, '[$1]')
    .replaceAll('/', '.')
    .replace(/^\./, '') || 'The file'
