import type { ExprNode } from 'py-ast'
import { cannotDerive, enumOf, type JsonSchema, tupleOf, unionOf } from '#tools/schema/tool-schema.ts'
import { classSchema } from './class-schema.ts'
import { constraintsOf, readField } from './field.ts'
import { isEllipsis, literalOf } from './literal.ts'
import type { Place } from './place.ts'

const SIMPLE: Record<string, () => JsonSchema> = {
  str: () => ({ type: 'string' }),
  int: () => ({ type: 'integer' }),
  float: () => ({ type: 'number' }),
  bool: () => ({ type: 'boolean' }),
  None: () => ({ type: 'null' }),
  NoneType: () => ({ type: 'null' }),
  Any: () => ({}),
  object: () => ({}),
}
const LISTS = new Set(['list', 'List', 'Sequence', 'MutableSequence', 'Iterable', 'Collection'])
const DICTS = new Set(['dict', 'Dict', 'Mapping', 'MutableMapping'])
const TUPLES = new Set(['tuple', 'Tuple'])

/** What to write instead of types that JSON does not have. */
const ADVICE: Record<string, string> = {
  set: 'Use list.',
  Set: 'Use list.',
  frozenset: 'Use list.',
  FrozenSet: 'Use list.',
  bytes: 'Use str, with base64 in it.',
  datetime: 'Use str, with an ISO 8601 time in it.',
  date: 'Use str, with an ISO 8601 date in it.',
  time: 'Use str.',
  timedelta: 'Use float, with seconds in it.',
  UUID: 'Use str.',
  Decimal: 'Use str or float.',
  Path: 'Use str.',
  Callable: 'A model cannot send a function: leave the parameter out.',
}

const refuse = (place: Place, problem: string, advice: string) => cannotDerive(`${place.what} ${problem}. ${advice}`)

/** The JSON Schema of an annotation. Throws invalid_argument, with the parameter's name and what to write instead. */
export function annotationSchema(node: ExprNode, place: Place): JsonSchema {
  place.module.countType(place.what)
  switch (node.nodeType) {
    case 'Constant':
      return constantSchema(node, place)
    case 'BinOp':
      return unionOf(operandsOf(node).map((operand) => annotationSchema(operand, place)))
    case 'Subscript': {
      const name = place.module.nameOf(node.value)
      const items = node.slice.nodeType === 'Tuple' ? node.slice.elts : [node.slice]
      if (name !== undefined) return genericSchema(name, items, place)
      break
    }
    case 'Name':
    case 'Attribute':
      return namedSchema(place.module.nameOf(node) ?? '', place)
  }
  throw refuse(place, 'has an annotation that is no type', 'Use a type such as str, int, list[str] or Optional[int].')
}

/** None, or a type in quotes. */
function constantSchema(node: ExprNode, place: Place): JsonSchema {
  const value = literalOf(node)
  if (value === null) return { type: 'null' }
  const quoted = typeof value === 'string' ? place.module.parseExpression(value) : undefined
  if (quoted !== undefined && quoted.nodeType !== 'Constant') return annotationSchema(quoted, place)
  throw refuse(
    place,
    `has the value ${JSON.stringify(value ?? null)} for a type`,
    'Use a type such as str, or Literal["a", "b"].',
  )
}

/** `a | b | c` as its three parts. */
function operandsOf(node: ExprNode): ExprNode[] {
  if (node.nodeType !== 'BinOp' || node.op.nodeType !== 'BitOr') return [node]
  return [...operandsOf(node.left), ...operandsOf(node.right)]
}

function namedSchema(name: string, place: Place): JsonSchema {
  if (place.within.includes(name)) {
    throw refuse(place, `has a type that contains itself: '${name}'`, 'Use dict in its place, or give json_schema.')
  }
  const inner = { ...place, within: [...place.within, name] }
  const definition = place.module.classes.get(name)
  if (definition !== undefined) return classSchema(definition, inner, annotationSchema)
  const simple = SIMPLE[name]
  if (simple !== undefined && Object.hasOwn(SIMPLE, name)) return simple()
  if (LISTS.has(name) || TUPLES.has(name)) return { type: 'array', items: {} }
  if (DICTS.has(name)) return { type: 'object' }
  const alias = place.module.findAlias(name)
  if (alias !== undefined) return annotationSchema(alias, inner)
  throw refuse(place, `has the type '${name}', which has no form in JSON or is not in the source`, adviceOn(name))
}

const adviceOn = (name: string): string =>
  (Object.hasOwn(ADVICE, name) ? ADVICE[name] : undefined) ??
  'Define it in the source as an Enum or a pydantic BaseModel, or use str, int, float, bool, list or dict.'

function genericSchema(name: string, args: readonly ExprNode[], place: Place): JsonSchema {
  const [first] = args
  if (first === undefined) throw refuse(place, `has '${name}[]' for a type`, `Name the type inside: ${name}[str].`)
  if (name === 'Literal') return literalSchema(args, place)
  if (name === 'Annotated') return annotatedSchema(first, args.slice(1), place)
  if (name === 'Union') return unionOf(args.map((arg) => annotationSchema(arg, place)))
  if (TUPLES.has(name)) return tupleSchema(args, place)
  if (DICTS.has(name)) return dictSchema(args, place)
  if (args.length === 1) {
    if (name === 'Optional') return unionOf([annotationSchema(first, place), { type: 'null' }])
    if (LISTS.has(name)) return { type: 'array', items: annotationSchema(first, place) }
    if (name === 'Required' || name === 'NotRequired' || name === 'Final') return annotationSchema(first, place)
  }
  throw refuse(place, `has the type '${name}[…]', which has no form in JSON`, adviceOn(name))
}

function literalSchema(args: readonly ExprNode[], place: Place): JsonSchema {
  const values = args.map((arg) => {
    const value = literalOf(arg)
    if (value !== undefined) return value
    throw refuse(place, 'has a Literal with something that is no constant', 'Write texts or numbers into Literal[…].')
  })
  return enumOf(values)
}

/** `Annotated[int, "what it is", Field(ge=1)]`. */
function annotatedSchema(type: ExprNode, notes: readonly ExprNode[], place: Place): JsonSchema {
  const schema = { ...annotationSchema(type, place) }
  for (const note of notes) {
    const text = literalOf(note)
    if (typeof text === 'string') schema.description ??= text
    const field = readField(note, place.module)
    if (field === undefined) continue
    Object.assign(schema, constraintsOf(field, schema))
    if (field.description !== undefined) schema.description = field.description
  }
  return schema
}

function tupleSchema(args: readonly ExprNode[], place: Place): JsonSchema {
  const [first, second, ...others] = args
  if (first !== undefined && second !== undefined && others.length === 0 && isEllipsis(second)) {
    return { type: 'array', items: annotationSchema(first, place) }
  }
  return tupleOf(args.map((arg) => annotationSchema(arg, place)))
}

function dictSchema(args: readonly ExprNode[], place: Place): JsonSchema {
  const [key, value, ...others] = args
  if (key === undefined || value === undefined || others.length > 0) {
    throw refuse(place, 'has a dict that does not name two types', 'Write dict[str, …] with the type of its values.')
  }
  if (annotationSchema(key, place).type !== 'string') {
    throw refuse(place, 'has a dict whose keys are no texts', 'Keys in JSON are texts: write dict[str, …].')
  }
  return { type: 'object', additionalProperties: annotationSchema(value, place) }
}
