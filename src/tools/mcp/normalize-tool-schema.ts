import { checkToolSchema } from '#tools/schema/check-tool-schema.ts'
import { enumOf, type JsonSchema } from '#tools/schema/tool-schema.ts'

/** V1's words for how well a schema can be told to models. */
export interface ToolHealth {
  status: 'STRICT_COMPLIANT' | 'NON_STRICT_ONLY' | 'INVALID'
  /** Why it is not the first. */
  reasons: string[]
}

/** Of one schema, written out; larger ones cost more than they help. */
const MAX_NODES = 2_000
const MAX_CHARS = 100_000

class InvalidSchema extends Error {}

/**
 * The schema of a tool's arguments as models are told it: references written out, types that can be told from the rest filled in, nothing
 * allowed that is not named. A schema that cannot be told is INVALID and comes back as it is.
 */
export function normalizeToolSchema(inputSchema: unknown): { parameters: JsonSchema; health: ToolHealth } {
  try {
    if (!isObject(inputSchema)) throw new InvalidSchema('it is no object')
    if (JSON.stringify(inputSchema).length > MAX_CHARS)
      throw new InvalidSchema(`it has more than ${MAX_CHARS} characters`)
    const inlined = new Inliner(inputSchema).inline()
    const { $schema: _, $defs: _defs, definitions: _definitions, ...own } = inlined
    if (own.type !== undefined && own.type !== 'object')
      throw new InvalidSchema(`its type is ${JSON.stringify(own.type)} and not object`)
    const parameters = fill({ ...own, type: 'object', properties: own.properties ?? {} }, true)
    checkRequired(parameters)
    checkToolSchema({ name: 'tool', description: '', parameters })
    return { parameters, health: healthOf(parameters) }
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^INVALID_ARGUMENT: json_schema: /, '') : 'unreadable'
    return { parameters: isObject(inputSchema) ? inputSchema : {}, health: { status: 'INVALID', reasons: [reason] } }
  }
}

const isObject = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Writes references to other parts of the schema out. A type that contains itself becomes a plain object where it does. */
class Inliner {
  readonly #root: JsonSchema
  #count = 0

  constructor(root: JsonSchema) {
    this.#root = root
  }

  inline(): JsonSchema {
    return this.#write(this.#root, ['#']) as JsonSchema
  }

  #write(node: unknown, within: readonly string[]): unknown {
    if (Array.isArray(node)) return node.map((item) => this.#write(item, within))
    if (!isObject(node)) return node
    this.#count += 1
    if (this.#count > MAX_NODES) throw new InvalidSchema(`it unfolds into more than ${MAX_NODES} types`)
    const { $ref, ...rest } = node
    const entries = Object.entries(rest).filter(
      ([key]) => node !== this.#root || (key !== '$defs' && key !== 'definitions'),
    )
    const own = Object.fromEntries(entries.map(([key, value]) => [key, this.#write(value, within)]))
    // a property can have this name
    if (typeof $ref !== 'string') return $ref === undefined ? own : { $ref: this.#write($ref, within), ...own }
    if (within.includes($ref)) return { type: 'object', ...own }
    return { ...(this.#write(this.#find($ref), [...within, $ref]) as JsonSchema), ...own }
  }

  #find(reference: string): unknown {
    if (!reference.startsWith('#/'))
      throw new InvalidSchema(`it refers to ${JSON.stringify(reference)}, which is not in it`)
    let node: unknown = this.#root
    for (const part of reference.slice(2).split('/')) {
      const key = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')
      node = isObject(node) || Array.isArray(node) ? (node as JsonSchema)[key] : undefined
    }
    if (!isObject(node)) throw new InvalidSchema(`it refers to ${JSON.stringify(reference)}, which is not in it`)
    return node
  }
}

const CHILDREN = ['properties', 'patternProperties'] as const
const LISTS = ['anyOf', 'oneOf', 'allOf', 'prefixItems'] as const
const SINGLE = ['items', 'additionalProperties', 'not', 'if', 'then', 'else', 'contains', 'propertyNames'] as const

/** Types and `additionalProperties`, here and below. Values in `enum`, `default` and the like are not looked into. */
function fill(schema: JsonSchema, isTop = false): JsonSchema {
  const filled: JsonSchema = { ...schema }
  for (const key of CHILDREN) {
    const children = schema[key]
    if (isObject(children))
      filled[key] = Object.fromEntries(
        Object.entries(children).map(([name, child]) => [name, isObject(child) ? fill(child) : child]),
      )
  }
  for (const key of LISTS) {
    const list = schema[key]
    if (Array.isArray(list)) filled[key] = list.map((child) => (isObject(child) ? fill(child) : child))
  }
  for (const key of SINGLE) {
    const child = schema[key]
    if (isObject(child)) filled[key] = fill(child)
  }
  const type = filled.type ?? guessType(filled)
  if (type !== undefined) filled.type = type
  const hasNames = isObject(filled.properties) && (isTop || Object.keys(filled.properties).length > 0)
  // an object without names is a map: it stays open
  if (filled.type === 'object' && hasNames && filled.additionalProperties === undefined)
    filled.additionalProperties = false
  return filled
}

function guessType(schema: JsonSchema): unknown {
  if (Array.isArray(schema.enum)) return enumOf(schema.enum as (string | number | boolean | null)[]).type
  if (schema.const !== undefined) return enumOf([schema.const as string]).type
  if (isObject(schema.properties)) return 'object'
  if (schema.items !== undefined) return 'array'
  return undefined
}

function checkRequired(parameters: JsonSchema): void {
  const names = Object.keys(parameters.properties as JsonSchema)
  const required = Array.isArray(parameters.required) ? (parameters.required as unknown[]) : []
  const unknown = required.find((name) => !names.includes(String(name)))
  if (unknown !== undefined)
    throw new InvalidSchema(`it requires ${JSON.stringify(unknown)}, which is none of its properties`)
}

/** What the strict mode of OpenAI asks: every object closed, every property required, every value typed. */
function healthOf(parameters: JsonSchema): ToolHealth {
  const reasons = new Set<string>()
  visit(parameters, '', reasons)
  const list = [...reasons].slice(0, 20)
  return { status: list.length === 0 ? 'STRICT_COMPLIANT' : 'NON_STRICT_ONLY', reasons: list }
}

function visit(schema: JsonSchema, path: string, reasons: Set<string>): void {
  const at = path === '' ? 'the arguments' : path
  const isTyped = schema.type !== undefined || LISTS.some((key) => Array.isArray(schema[key]))
  if (!isTyped) reasons.add(`${at}: no type`)
  if (schema.type === 'object') {
    if (schema.additionalProperties !== false) reasons.add(`${at}: other properties are allowed`)
    const properties = isObject(schema.properties) ? schema.properties : {}
    const required = Array.isArray(schema.required) ? (schema.required as string[]) : []
    const optional = Object.keys(properties).filter((name) => !required.includes(name))
    if (optional.length > 0) reasons.add(`${at}: not required: ${optional.join(', ')}`)
    for (const [name, child] of Object.entries(properties))
      if (isObject(child)) visit(child, path === '' ? name : `${path}.${name}`, reasons)
  }
  if (isObject(schema.items)) visit(schema.items, `${path}[]`, reasons)
  for (const key of LISTS) {
    if (Array.isArray(schema[key])) for (const child of schema[key]) if (isObject(child)) visit(child, path, reasons)
  }
}
