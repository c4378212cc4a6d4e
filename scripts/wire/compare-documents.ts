import { flattenSchema, type Place, type Places, type Schema } from './flatten-schema.ts'

interface Parameter {
  in: string
  name: string
  required?: boolean
  schema?: Schema
}

type Content = Record<string, { schema?: Schema }>

interface Operation {
  parameters?: Parameter[]
  requestBody?: { content?: Content }
  responses?: Record<string, { content?: Content }>
}

/** An OpenAPI document, as far as it is compared. */
export interface OpenApi {
  paths: Record<string, Record<string, Operation>>
  components?: { schemas?: Record<string, Schema> }
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete']

/**
 * What programs for the first API miss in the second, one line each: `GET /v1/agents: response field [].tags is missing`. What the
 * second has beyond the first is no difference. Path parameters may have other names.
 */
export function compareDocuments(theirs: OpenApi, ours: OpenApi): string[] {
  const own = operationsOf(ours)
  const differences: string[] = []
  for (const [id, operation] of operationsOf(theirs)) {
    const other = own.get(id)
    if (other === undefined) {
      differences.push(`${id}: operation is missing`)
      continue
    }
    const found = [
      ...compareParameters(operation, other, theirs, ours),
      ...compareBodies(operation, other, theirs, ours),
      ...compareResponses(operation, other, theirs, ours),
    ]
    differences.push(...found.map((difference) => `${id}: ${difference}`))
  }
  return [...new Set(differences)]
}

/** `GET /v1/agents/{}` for every operation. */
export const operationIds = (document: OpenApi): string[] => [...operationsOf(document).keys()]

function operationsOf({ paths }: OpenApi): Map<string, Operation> {
  const operations = new Map<string, Operation>()
  for (const [path, methods] of Object.entries(paths)) {
    const plain = path.replace(/\/$/, '').replace(/\{\w+\}/g, '{}')
    for (const method of METHODS) {
      const operation = methods[method]
      if (operation !== undefined) operations.set(`${method.toUpperCase()} ${plain}`, operation)
    }
  }
  return operations
}

const placesOf = (schema: Schema | undefined, document: OpenApi): Places =>
  flattenSchema(schema ?? {}, document.components?.schemas ?? {})

function compareParameters(theirs: Operation, ours: Operation, theirDocument: OpenApi, ourDocument: OpenApi): string[] {
  return (theirs.parameters ?? [])
    .filter((parameter) => parameter.in === 'query' || parameter.in === 'header')
    .flatMap((parameter) => {
      const what = `${parameter.in} parameter ${parameter.name}`
      const own = ours.parameters?.find(
        ({ in: place, name }) => place === parameter.in && name.toLowerCase() === parameter.name.toLowerCase(),
      )
      if (own === undefined) return [`${what} is missing`]
      // what has a default need not be sent
      const isStricter = own.required === true && own.schema?.default === undefined && parameter.required !== true
      return [
        ...(isStricter ? [`${what} must be sent`] : []),
        ...compareInputs(placesOf(parameter.schema, theirDocument), placesOf(own.schema, ourDocument), what),
      ]
    })
}

const jsonOf = (content: Content | undefined): Schema | undefined =>
  Object.entries(content ?? {}).find(([type]) => /json|multipart/.test(type))?.[1].schema

function compareBodies(theirs: Operation, ours: Operation, theirDocument: OpenApi, ourDocument: OpenApi): string[] {
  const schema = jsonOf(theirs.requestBody?.content)
  if (schema === undefined) return []
  const own = jsonOf(ours.requestBody?.content)
  if (own === undefined) return ['body is missing']
  return compareInputs(placesOf(schema, theirDocument), placesOf(own, ourDocument), 'body field')
}

/** Whatever their schema takes ours must take. */
function compareInputs(theirs: Places, ours: Places, what: string): string[] {
  const differences: string[] = []
  for (const [path, place] of theirs) {
    const own = ours.get(path)
    const name = path === '' ? what : `${what} ${path}`
    if (own === undefined) {
      if (isCovered(path, ours, theirs)) continue
      differences.push(`${name} is missing`)
      continue
    }
    if (own.isRequired && !place.isRequired) differences.push(`${name} must be sent`)
    // a parameter that is null is one that is not sent
    const types = without(place.types, own.types).filter((type) => type !== 'null' || !what.includes('parameter'))
    const isLooser = own.types.has('array') && what.includes('parameter')
    if (!own.isOpen && !isLooser && types.length > 0) differences.push(`${name} does not take ${types.join(' or ')}`)
    else differences.push(...compareValues(name, 'does not take', place.values, own.values))
  }
  return differences
}

function compareResponses(theirs: Operation, ours: Operation, theirDocument: OpenApi, ourDocument: OpenApi): string[] {
  const schema = jsonOf(successOf(theirs)?.content)
  if (schema === undefined) return []
  const own = jsonOf(successOf(ours)?.content)
  const theirPlaces = placesOf(schema, theirDocument)
  // ours of null is described as none at all, and so is one that is a stream
  if (own === undefined) {
    const isAllowed = isEmpty(schema) || theirPlaces.get('')?.types.has('null')
    return isAllowed ? [] : ['response is not described']
  }
  return compareOutputs(theirPlaces, placesOf(own, ourDocument))
}

const isEmpty = (schema: Schema): boolean => Object.keys(schema).every((key) => key === 'title')

const successOf = ({ responses = {} }: Operation) =>
  Object.entries(responses).find(([status]) => /^2\d\d$/.test(status))?.[1]

/** Whatever ours sends theirs must allow, and every field of theirs must be there. */
function compareOutputs(theirs: Places, ours: Places): string[] {
  const differences: string[] = []
  for (const [path, place] of theirs) {
    const own = ours.get(path)
    const name = path === '' ? 'response' : `response field ${path}`
    if (own === undefined) {
      if (!isCovered(path, ours, theirs)) differences.push(`${name} is missing`)
      continue
    }
    if (place.types.size === 0 || place.isAny) continue
    const types = own.isOpen && own.types.size === 0 ? [] : without(own.types, place.types)
    if (types.length > 0) differences.push(`${name} can be ${types.join(' or ')}`)
    // an enumeration that ours does not describe is held against the values that are sent, by the tests
    else if (own.values !== undefined) differences.push(...compareValues(name, 'can be', own.values, place.values))
  }
  return differences
}

/** True below a place where ours has no shape of its own, is always empty or null, or whose absence was told already. */
function isCovered(path: string, ours: Places, theirs: Places): boolean {
  for (let parent = parentOf(path); parent !== undefined; parent = parentOf(parent)) {
    const own = ours.get(parent)
    if (own === undefined) {
      if (theirs.has(parent)) return true
      continue
    }
    return own.isOpen || !(own.types.has('object') || own.types.has('array')) || isOtherShape(path, parent, own)
  }
  return false
}

/** `[]` below what is an object of ours, or a field below what is an array: the difference of types was told. */
const isOtherShape = (path: string, parent: string, own: Place): boolean =>
  path.startsWith(`${parent}[]`) ? !own.types.has('array') : !own.types.has('object')

function parentOf(path: string): string | undefined {
  if (path === '') return undefined
  return path.endsWith('[]') ? path.slice(0, -2) : path.slice(0, path.lastIndexOf('.'))
}

const without = (types: Set<string>, allowed: Set<string>): string[] =>
  allowed.size === 0 ? [] : [...types].filter((type) => !allowed.has(type)).sort()

/** Values of the first that the second does not know. */
function compareValues(
  name: string,
  verb: string,
  values: Set<string> | undefined,
  allowed: Set<string> | undefined,
): string[] {
  if (allowed === undefined) return []
  if (values === undefined) return [`${name} ${verb} other values`]
  const others = [...values].filter((value) => !allowed.has(value))
  return others.length === 0 ? [] : [`${name} ${verb} ${others.map((value) => JSON.stringify(value)).join(', ')}`]
}
