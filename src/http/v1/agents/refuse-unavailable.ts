import { invalidArgument } from '#platform/errors.ts'

/** Fields of V1 that would silently do nothing here, and what to do instead. */
const UNAVAILABLE: Record<string, string> = {
  include_default_source:
    'an agent gets no folder of its own here. Leave the field out, make a folder with POST /v1/folders/ and attach it',
  from_template: 'not here. Leave the field out and call POST /v1/templates/{name}:{version}/agents',
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '') return true
  return typeof value === 'object' && Object.keys(value).length === 0
}

/** Throws invalid_argument for a field that asks for something this version cannot do. */
export function refuseUnavailable(body: Record<string, unknown>): void {
  for (const [field, what] of Object.entries(UNAVAILABLE)) {
    if (!isEmpty(body[field])) {
      throw invalidArgument(`INVALID_ARGUMENT: ${field}: ${what}.`)
    }
  }
}
