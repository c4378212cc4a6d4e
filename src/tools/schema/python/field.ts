import type { Call, ExprNode } from 'py-ast'
import type { JsonSchema } from '#tools/schema/tool-schema.ts'
import { isEllipsis, isNone, type Literal, literalOf } from './literal.ts'
import type { PythonModule } from './python-module.ts'

/** What pydantic's `Field(…)` says. */
export interface Field {
  description: string | undefined
  /** The name in JSON, where it is another than in Python. */
  alias: string | undefined
  /** `none` where leaving it out says None. */
  default: 'required' | 'none' | 'some'
  /** Its other arguments that are constants, by name. */
  values: ReadonlyMap<string, Literal>
}

/** Reads a call of `Field`; undefined for anything else. */
export function readField(node: ExprNode, module: PythonModule): Field | undefined {
  if (node.nodeType !== 'Call' || module.nameOf(node.func) !== 'Field') return undefined
  const values = new Map<string, Literal>()
  for (const { arg, value } of node.keywords) {
    const literal = literalOf(value)
    if (arg !== undefined && literal !== undefined) values.set(arg, literal)
  }
  return {
    description: textOf(values.get('description')),
    alias: textOf(values.get('alias') ?? values.get('validation_alias')),
    default: defaultOf(node),
    values,
  }
}

const textOf = (value: Literal | undefined): string | undefined => (typeof value === 'string' ? value : undefined)

function defaultOf(call: Call): Field['default'] {
  if (call.keywords.some(({ arg }) => arg === 'default_factory')) return 'some'
  const value = call.args[0] ?? call.keywords.find(({ arg }) => arg === 'default')?.value
  if (value === undefined || isEllipsis(value)) return 'required'
  return isNone(value) ? 'none' : 'some'
}

/** pydantic's name of a limit → JSON Schema's, and the types that it is for. */
const LIMITS: Record<string, { keyword: string; types: readonly string[] }[]> = {
  ge: [{ keyword: 'minimum', types: ['integer', 'number'] }],
  gt: [{ keyword: 'exclusiveMinimum', types: ['integer', 'number'] }],
  le: [{ keyword: 'maximum', types: ['integer', 'number'] }],
  lt: [{ keyword: 'exclusiveMaximum', types: ['integer', 'number'] }],
  multiple_of: [{ keyword: 'multipleOf', types: ['integer', 'number'] }],
  min_length: [
    { keyword: 'minLength', types: ['string'] },
    { keyword: 'minItems', types: ['array'] },
  ],
  max_length: [
    { keyword: 'maxLength', types: ['string'] },
    { keyword: 'maxItems', types: ['array'] },
  ],
  pattern: [{ keyword: 'pattern', types: ['string'] }],
}

/** The limits of a field in the words of JSON Schema, for a schema of one type. */
export function constraintsOf(field: Field, schema: JsonSchema): JsonSchema {
  const found: JsonSchema = {}
  for (const [name, limits] of Object.entries(LIMITS)) {
    const value = field.values.get(name)
    const limit = limits.find(({ types }) => types.includes(String(schema.type)))
    if (value !== undefined && limit !== undefined) found[limit.keyword] = value
  }
  return found
}
