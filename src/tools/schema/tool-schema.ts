import { type DomainError, invalidArgument } from '#platform/errors.ts'

export type JsonSchema = Record<string, unknown>

/** What a model is told of a tool. */
export interface ToolSchema {
  name: string
  description: string
  parameters: JsonSchema
}

/** V1's limit, and short enough for every provider. */
export const MAX_TOOL_NAME_LENGTH = 48
/** Longer than any tool that people write; parsing it takes a tenth of a second, in which the process does nothing else. */
export const MAX_SOURCE_CHARACTERS = 100_000
/** Types that one signature may unfold into: classes that stand in each other are written out at each place. */
export const MAX_TYPES = 2_000

/** Begins every refusal of a source, as in V1. `problem` names what is wrong and what to write instead. */
export const cannotDerive = (problem: string): DomainError =>
  invalidArgument(`Failed to derive json schema: ${problem}`)

/** Several types of which one must fit; `null` stands last. */
export function unionOf(members: readonly JsonSchema[]): JsonSchema {
  const flat = members.flatMap((member) => (isPlainUnion(member) ? (member.anyOf as JsonSchema[]) : [member]))
  const distinct = [...new Map(flat.map((member) => [JSON.stringify(member), member])).values()]
  const ordered = [...distinct.filter((member) => !isNull(member)), ...distinct.filter(isNull)]
  const [only] = ordered
  return ordered.length === 1 && only !== undefined ? only : { anyOf: ordered }
}

const isNull = (schema: JsonSchema): boolean => schema.type === 'null'
const isPlainUnion = (schema: JsonSchema): boolean => 'anyOf' in schema && Object.keys(schema).length === 1

/** The type of what may also be left out: leaving it out says what `null` would. */
export function withoutNull(schema: JsonSchema): JsonSchema {
  if (!Array.isArray(schema.anyOf)) return schema
  const { anyOf, ...rest } = schema
  const members = (anyOf as JsonSchema[]).filter((member) => !isNull(member))
  return members.length === 0 ? schema : { ...unionOf(members), ...rest }
}

/** An enumeration of constants; `type` where they all have one. */
export function enumOf(values: readonly (string | number | boolean | null)[]): JsonSchema {
  const distinct = [...new Set(values)]
  const types = [...new Set(distinct.map(typeOf))]
  return types.length === 1 ? { type: types[0], enum: distinct } : { enum: distinct }
}

function typeOf(value: string | number | boolean | null): string {
  if (value === null) return 'null'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}

/** An array of as many items as there are types. `items` says it to readers who know no `prefixItems`. */
export function tupleOf(items: readonly JsonSchema[]): JsonSchema {
  const size = { minItems: items.length, maxItems: items.length }
  if (items.length === 0) return { type: 'array', items: {}, ...size }
  return { type: 'array', prefixItems: items, items: unionOf(items), ...size }
}

/** An object of these properties, whatever they are called. */
export function objectOf(properties: ReadonlyMap<string, JsonSchema>, required: Iterable<string>): JsonSchema {
  return { type: 'object', properties: Object.fromEntries(properties), required: [...required] }
}
