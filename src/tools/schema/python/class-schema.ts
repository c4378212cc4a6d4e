import type { ClassDef, ExprNode, StmtNode } from 'py-ast'
import { cannotDerive, enumOf, type JsonSchema, objectOf, withoutNull } from '#tools/schema/tool-schema.ts'
import { findDocstring } from './docstring.ts'
import { constraintsOf, readField } from './field.ts'
import { isNone, type Literal, literalOf } from './literal.ts'
import type { Place } from './place.ts'

type ToSchema = (annotation: ExprNode, place: Place) => JsonSchema
type AnnotatedName = Extract<StmtNode, { nodeType: 'AnnAssign' }>

const ENUMS = new Set(['Enum', 'IntEnum', 'StrEnum'])

/** The JSON Schema of a class in the source: an Enum, a pydantic BaseModel or a TypedDict. Throws invalid_argument for others. */
export function classSchema(definition: ClassDef, place: Place, toSchema: ToSchema): JsonSchema {
  const ancestors = ancestorsOf(definition, place)
  const bases = new Set(ancestors.flatMap((ancestor) => ancestor.bases.map((base) => place.module.nameOf(base))))
  if ([...ENUMS].some((name) => bases.has(name))) return enumSchema(definition, bases.has('StrEnum'), place)
  if (bases.has('BaseModel')) return modelSchema(ancestors, place, toSchema)
  if (bases.has('TypedDict')) return modelSchema(ancestors, place, toSchema, isTotal(definition))
  throw cannotDerive(
    `${place.what} has the class '${definition.name}' for a type. Let it inherit from pydantic's BaseModel, or use dict.`,
  )
}

/** The class and those that it inherits from, as far as they stand in the source; the most basic first. */
function ancestorsOf(definition: ClassDef, place: Place, seen: ReadonlySet<ClassDef> = new Set()): ClassDef[] {
  const known = new Set([...seen, definition])
  const inherited = definition.bases.flatMap((base) => {
    const parent = place.module.classes.get(place.module.nameOf(base) ?? '')
    return parent === undefined || known.has(parent) ? [] : ancestorsOf(parent, place, known)
  })
  return [...new Set([...inherited, definition])]
}

function enumSchema(definition: ClassDef, isStrEnum: boolean, place: Place): JsonSchema {
  const values: Literal[] = []
  for (const node of definition.body) {
    const target = node.nodeType === 'Assign' ? node.targets[0] : undefined
    if (node.nodeType !== 'Assign' || target?.nodeType !== 'Name' || target.id.startsWith('_')) continue
    const value = memberValue(node.value, target.id, values.length, isStrEnum, place)
    if (value === undefined) {
      throw cannotDerive(
        `${place.what} has the Enum '${definition.name}', whose member '${target.id}' is no constant. Give it a text or a number.`,
      )
    }
    values.push(value)
  }
  if (values.length > 0) return enumOf(values)
  throw cannotDerive(`${place.what} has the Enum '${definition.name}', which has no members. Add them.`)
}

function memberValue(
  node: ExprNode,
  name: string,
  index: number,
  isStrEnum: boolean,
  place: Place,
): Literal | undefined {
  const isAuto = node.nodeType === 'Call' && place.module.nameOf(node.func) === 'auto'
  if (isAuto) return isStrEnum ? name.toLowerCase() : index + 1
  return literalOf(node)
}

function modelSchema(
  classes: readonly ClassDef[],
  place: Place,
  toSchema: ToSchema,
  isRequiredByDefault = true,
): JsonSchema {
  const properties = new Map<string, JsonSchema>()
  const required = new Set<string>()
  const docstrings = classes.flatMap((definition) => findDocstring(definition.body) ?? [])
  for (const definition of classes) {
    for (const node of definition.body) {
      if (node.nodeType !== 'AnnAssign' || !isField(node, place)) continue
      const { name, schema, isRequired } = readModelField(node, definition, place, toSchema, isRequiredByDefault)
      const described = docstrings.findLast(({ args }) => args.has(fieldName(node)))?.args.get(fieldName(node))
      properties.set(name, described === undefined ? schema : { description: described, ...schema })
      if (isRequired) required.add(name)
      else required.delete(name)
    }
  }
  const summary = docstrings.at(-1)?.summary
  const description = summary === undefined || summary === '' ? {} : { description: summary }
  return { ...objectOf(properties, required), ...description }
}

const fieldName = (node: AnnotatedName): string => (node.target.nodeType === 'Name' ? node.target.id : '')

/** False for what pydantic does not take for a field: private names, constants of the class, its settings. */
function isField(node: AnnotatedName, place: Place): boolean {
  const name = fieldName(node)
  const type = node.annotation.nodeType === 'Subscript' ? node.annotation.value : node.annotation
  return name !== '' && !name.startsWith('_') && name !== 'model_config' && place.module.nameOf(type) !== 'ClassVar'
}

function readModelField(
  node: AnnotatedName,
  definition: ClassDef,
  place: Place,
  toSchema: ToSchema,
  isRequiredByDefault: boolean,
): { name: string; schema: JsonSchema; isRequired: boolean } {
  const ownName = fieldName(node)
  const inner = { ...place, what: `field '${ownName}' of '${definition.name}' (${place.what})` }
  const type = toSchema(node.annotation, inner)
  const field = node.value === undefined ? undefined : readField(node.value, place.module)
  const defaults = field?.default ?? (node.value === undefined ? 'required' : isNone(node.value) ? 'none' : 'some')
  const base = defaults === 'none' ? withoutNull(type) : type
  const description = field?.description === undefined ? {} : { description: field.description }
  const schema = { ...base, ...(field === undefined ? {} : constraintsOf(field, base)), ...description }
  const isRequired = defaults === 'required' && isRequiredBy(node.annotation, place, isRequiredByDefault)
  return { name: field?.alias ?? ownName, schema, isRequired }
}

/** TypedDict's `NotRequired[…]` and `Required[…]`. */
function isRequiredBy(annotation: ExprNode, place: Place, otherwise: boolean): boolean {
  const name = annotation.nodeType === 'Subscript' ? place.module.nameOf(annotation.value) : undefined
  if (name === 'NotRequired') return false
  return name === 'Required' ? true : otherwise
}

/** False for `class X(TypedDict, total=False)`. */
function isTotal(definition: ClassDef): boolean {
  return !definition.keywords.some(({ arg, value }) => arg === 'total' && literalOf(value) === false)
}
