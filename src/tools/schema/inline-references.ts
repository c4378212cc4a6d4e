import { cannotDerive, type JsonSchema, MAX_TYPES } from './tool-schema.ts'

/**
 * A JSON Schema with each `$ref` to its own `$defs` (or `definitions`) replaced by what it names, since not every provider follows
 * references. Throws invalid_argument for a reference that leads nowhere, outside, or into itself.
 */
export function inlineReferences(schema: JsonSchema): JsonSchema {
  const inliner = new Inliner({ ...asObject(schema.definitions), ...asObject(schema.$defs) })
  const { $defs: _, definitions: __, ...rest } = schema
  return inliner.inline(rest, []) as JsonSchema
}

const asObject = (value: unknown): JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonSchema) : {}

class Inliner {
  readonly #definitions: JsonSchema
  #count = 0

  constructor(definitions: JsonSchema) {
    this.#definitions = definitions
  }

  inline(node: unknown, within: readonly string[]): unknown {
    if (Array.isArray(node)) return node.map((item) => this.inline(item, within))
    if (typeof node !== 'object' || node === null) return node
    this.#count += 1
    if (this.#count > MAX_TYPES)
      throw cannotDerive(`args_json_schema unfolds into more than ${MAX_TYPES} types. Use simpler ones.`)
    const { $ref, ...rest } = node as JsonSchema
    const siblings = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, this.inline(value, within)]))
    if (typeof $ref !== 'string') return $ref === undefined ? siblings : { $ref, ...siblings }
    return { ...(this.#follow($ref, within) as JsonSchema), ...siblings }
  }

  #follow(reference: string, within: readonly string[]): unknown {
    const name = /^#\/(?:\$defs|definitions)\/(.+)$/.exec(reference)?.[1]
    if (name === undefined || !Object.hasOwn(this.#definitions, name)) {
      throw cannotDerive(`args_json_schema refers to '${reference}', which is not among its $defs. Add it.`)
    }
    if (within.includes(name)) {
      throw cannotDerive(
        `args_json_schema has a type that contains itself: '${name}'. Use a plain object in its place.`,
      )
    }
    return this.inline(this.#definitions[name], [...within, name])
  }
}
