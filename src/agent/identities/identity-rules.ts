import { conflict, type DomainError, unprocessable } from '#platform/errors.ts'
import type { IdentityProperty } from '#store/identities/identity-row.ts'

/** Properties that one identity may have: all of them stand in every answer about it. */
const MAX_PROPERTIES = 100

const FITS: Record<IdentityProperty['type'], (value: unknown) => boolean> = {
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  boolean: (value) => typeof value === 'boolean',
  json: () => true,
}

/** The properties with each key once; the last of a key wins. Throws unprocessable where a value is not of its type. */
export function checkProperties(properties: readonly IdentityProperty[]): IdentityProperty[] {
  for (const { key, value, type } of properties) {
    if (!FITS[type](value))
      throw unprocessable(`The value of property '${key}' is no ${type}: send one, or another type.`)
  }
  const unique = [...new Map(properties.map(({ key, value, type }) => [key, { key, value, type }])).values()]
  if (unique.length > MAX_PROPERTIES) {
    throw unprocessable(`An identity can have ${MAX_PROPERTIES} properties, not ${unique.length}.`)
  }
  return unique
}

export const duplicateKey = (key: string): DomainError =>
  conflict(
    `CONFLICT: There is an identity with the identifier key '${key}' in this project already. Change that one, or send PUT /v1/identities.`,
    { canRetry: false },
  )
