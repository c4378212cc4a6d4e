import { invalidArgument } from '#platform/errors.ts'

/** Fields of V1 that would silently do nothing here, and what to do instead. */
const UNAVAILABLE: Record<string, string> = {
  include_default_source: 'default folders of agents are not available in this version. Leave the field out.',
  from_template: 'agents of a template are made with POST /v1/templates/{project_id}/{template_version}/agents.',
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '') return true
  return typeof value === 'object' && Object.keys(value).length === 0
}

/** Throws invalid_argument for a field that asks for something this version cannot do. */
export function refuseUnavailable(body: Record<string, unknown>): void {
  for (const [field, what] of Object.entries(UNAVAILABLE)) {
    if (!isEmpty(body[field])) {
      throw invalidArgument(`INVALID_ARGUMENT: ${field}: ${what}`)
    }
  }
}
