/** A JSON schema as OpenAPI documents have them, as far as it is compared. */
export interface Schema {
  $ref?: string
  type?: string | string[]
  format?: string
  enum?: unknown[]
  const?: unknown
  default?: unknown
  nullable?: boolean
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  additionalProperties?: boolean | Schema
  anyOf?: Schema[]
  oneOf?: Schema[]
  allOf?: Schema[]
}

/** What a schema says of one place in a value. */
export interface Place {
  types: Set<string>
  /** The only values that there are; undefined where any of the types will do. */
  values: Set<string> | undefined
  /** Always there, in every alternative that has the object around it; not where it has a default. */
  isRequired: boolean
  /** Anything may stand here, or inside of it: nothing below it can be compared. */
  isOpen: boolean
  /** One of the alternatives is a schema that says nothing: any type will do. */
  isAny: boolean
}

/** Places by their path: `.agent.name`, `[].id`, `.metadata.*`. */
export type Places = Map<string, Place>

/** Deeper than any field that clients read. */
const MAX_DEPTH = 7

/** Every place that a value of the schema can have, with its types. References to what is being described are not followed again. */
export function flattenSchema(schema: Schema, schemas: Record<string, Schema>): Places {
  const places: Places = new Map()
  visit({ schema, path: '', isRequired: true, stack: [] }, schemas, places)
  return places
}

interface Visit {
  schema: Schema
  path: string
  isRequired: boolean
  stack: string[]
}

function visit({ schema, path, isRequired, stack }: Visit, schemas: Record<string, Schema>, places: Places): void {
  const { alternatives, names } = resolve(schema, schemas, stack)
  const place = places.get(path) ?? { types: new Set(), values: new Set(), isRequired, isOpen: false, isAny: false }
  places.set(path, place)
  place.isRequired &&= isRequired
  // enums of which one alternative is free are no enums
  let values = place.values
  for (const alternative of alternatives) {
    const types = typesOf(alternative)
    for (const type of types) place.types.add(type)
    const only = valuesOf(alternative)
    if (only === undefined && types.some((type) => type !== 'null' && type !== 'object' && type !== 'array')) {
      values = undefined
    } else for (const value of only ?? []) values?.add(value)
    if (types.length === 0) {
      place.isOpen = true
      place.isAny = true
    }
  }
  place.values = values !== undefined && values.size > 0 ? values : undefined
  const isTooDeep = path.split(/[.[]/).length > MAX_DEPTH
  const objects = alternatives.filter((alternative) => typesOf(alternative).includes('object'))
  for (const alternative of alternatives) {
    if (isTooDeep || alternative === CUT) {
      place.isOpen = true
      continue
    }
    if (alternative.items !== undefined) {
      visit({ schema: alternative.items, path: `${path}[]`, isRequired: true, stack: names }, schemas, places)
    } else if (typesOf(alternative).includes('array')) place.isOpen = true
    if (!objects.includes(alternative)) continue
    const { properties = {}, additionalProperties: more } = alternative
    if (typeof more === 'object' && Object.keys(more).length > 0) {
      visit({ schema: more, path: `${path}.*`, isRequired: false, stack: names }, schemas, places)
    } else if (Object.keys(properties).length === 0) place.isOpen = true
    for (const [name, property] of Object.entries(properties)) {
      const isAlways =
        property.default === undefined && objects.every((object) => object.required?.includes(name) ?? false)
      visit({ schema: property, path: `${path}.${name}`, isRequired: isAlways, stack: names }, schemas, places)
    }
  }
}

/** Stands for a reference to what is being described already. */
const CUT: Schema = { type: 'object' }

/** The schemas of which a value must match one, without references. */
function resolve(
  schema: Schema,
  schemas: Record<string, Schema>,
  stack: string[],
): { alternatives: Schema[]; names: string[] } {
  const names = [...stack]
  const expand = (one: Schema): Schema[] => {
    if (one.$ref !== undefined) {
      const name = decodeURIComponent(one.$ref.split('/').at(-1) ?? '').replaceAll('~1', '/')
      const target = schemas[name]
      if (target === undefined) throw new Error(`${one.$ref} is not in the document`)
      if (stack.includes(name)) return [CUT]
      names.push(name)
      return expand(target)
    }
    const { anyOf, oneOf, allOf, ...rest } = one
    if (allOf !== undefined) return [mergeAll([rest, ...allOf.flatMap(expand)])]
    const choices = anyOf ?? oneOf
    if (choices === undefined) return one.nullable === true ? [one, { type: 'null' }] : [one]
    return choices.flatMap(expand)
  }
  return { alternatives: expand(schema), names }
}

function mergeAll(parts: Schema[]): Schema {
  const merged: Schema = {}
  for (const part of parts) {
    Object.assign(merged, part, {
      properties: { ...merged.properties, ...part.properties },
      required: [...(merged.required ?? []), ...(part.required ?? [])],
    })
  }
  return merged
}

function typesOf(schema: Schema): string[] {
  if (schema.type !== undefined) return [schema.type].flat().map(plainType)
  if (schema.const !== undefined) return [typeOfValue(schema.const)]
  if (schema.enum !== undefined) return [...new Set(schema.enum.map(typeOfValue))]
  if (schema.properties !== undefined) return ['object']
  return schema.items === undefined ? [] : ['array']
}

/** An integer is a number. */
const plainType = (type: string): string => (type === 'integer' ? 'number' : type)

function typeOfValue(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

function valuesOf({ const: only, enum: values }: Schema): string[] | undefined {
  if (only !== undefined) return [String(only)]
  return values?.filter((value) => value !== null).map(String)
}
