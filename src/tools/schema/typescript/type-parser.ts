import {
  cannotDerive,
  enumOf,
  type JsonSchema,
  MAX_TYPES,
  objectOf,
  tupleOf,
  unionOf,
} from '#tools/schema/tool-schema.ts'
import { readJsDoc } from './jsdoc.ts'
import { TokenReader } from './token-reader.ts'

/** Where the body of an interface, type or enum begins: after its name. */
export interface Declaration {
  kind: 'interface' | 'type' | 'enum'
  position: number
}

/** `undefined` in a union, until it is known whether the member may be left out. */
const UNDEFINED: JsonSchema = { type: 'undefined' }

const SIMPLE: Record<string, JsonSchema> = {
  string: { type: 'string' },
  number: { type: 'number' },
  boolean: { type: 'boolean' },
  null: { type: 'null' },
  undefined: UNDEFINED,
  any: {},
  unknown: {},
  object: { type: 'object' },
  true: { type: 'boolean', enum: [true] },
  false: { type: 'boolean', enum: [false] },
}
const ADVICE: Record<string, string> = {
  Date: 'Use string, with an ISO 8601 time in it.',
  bigint: 'Use number or string.',
  Map: 'Use Record<string, …>.',
  Set: 'Use an array.',
  void: 'Leave it out.',
}

/** Reads the types of TypeScript that data can have. What it reads is listed in `docs/tools.md`. */
export class TypeParser {
  readonly #declarations: ReadonlyMap<string, Declaration>
  readonly #reader: TokenReader
  readonly #what: string
  readonly #within: readonly string[]
  readonly #count: { types: number }

  constructor(
    reader: TokenReader,
    declarations: ReadonlyMap<string, Declaration>,
    what: string,
    within: readonly string[] = [],
    count: { types: number } = { types: 0 },
  ) {
    this.#reader = reader
    this.#declarations = declarations
    this.#what = what
    this.#within = within
    this.#count = count
  }

  /** A type, and whether it may be undefined. */
  parse(): { schema: JsonSchema; canBeUndefined: boolean } {
    const members = this.#parseUnion()
    const defined = members.filter((member) => member !== UNDEFINED)
    if (defined.length === 0) throw this.#refuse('has no type that data can have', 'Use string, number or boolean.')
    return { schema: mergeConstants(defined), canBeUndefined: defined.length < members.length }
  }

  #parseSchema(): JsonSchema {
    return this.parse().schema
  }

  #parseUnion(): JsonSchema[] {
    this.#reader.accept('|')
    const members = [this.#parseIntersection()]
    while (this.#reader.accept('|')) members.push(this.#parseIntersection())
    return members
  }

  #parseIntersection(): JsonSchema {
    const parts = [this.#parsePostfix()]
    while (this.#reader.accept('&')) parts.push(this.#parsePostfix())
    const [only] = parts
    return parts.length === 1 && only !== undefined ? only : this.#mergeObjects(parts)
  }

  #mergeObjects(parts: readonly JsonSchema[]): JsonSchema {
    if (parts.some((part) => part.type !== 'object')) {
      throw this.#refuse('has an intersection (&) of what are no objects', 'Write the type out.')
    }
    return {
      ...Object.assign({}, ...parts),
      properties: Object.assign({}, ...parts.map((part) => part.properties)),
      required: [...new Set(parts.flatMap((part) => (part.required as string[] | undefined) ?? []))],
    }
  }

  #parsePostfix(): JsonSchema {
    let schema = this.#parsePrimary()
    while (this.#reader.isAt('[') && this.#reader.second.text === ']') {
      this.#reader.take()
      this.#reader.take()
      schema = { type: 'array', items: schema }
    }
    return schema
  }

  #parsePrimary(): JsonSchema {
    this.#count.types += 1
    if (this.#count.types > MAX_TYPES) {
      throw this.#refuse(`has a type that unfolds into more than ${MAX_TYPES} types`, 'Use a simpler one.')
    }
    const { kind, text } = this.#reader.next
    if (kind === 'text') return enumOf([this.#reader.take().text])
    if (kind === 'number') return enumOf([toNumber(this.#reader.take().text)])
    if (kind === 'template') return this.#taking({ type: 'string' })
    if (this.#reader.accept('-')) return enumOf([-toNumber(this.#reader.take().text)])
    if (this.#reader.accept('(')) return this.#parseParenthesis()
    if (this.#reader.accept('{')) return this.parseMembers()
    if (this.#reader.accept('[')) return this.#parseTuple()
    if (this.#reader.accept('readonly')) return this.#parsePostfix()
    if (kind !== 'name') throw this.#reader.refuse('a type')
    return this.#parseName(this.#reader.take().text || text)
  }

  #taking(schema: JsonSchema): JsonSchema {
    this.#reader.take()
    return schema
  }

  #parseParenthesis(): JsonSchema {
    const { next, second } = this.#reader
    const isNamed = next.kind === 'name' && [':', '?', ','].includes(second.text)
    if (isNamed || this.#reader.isAt(')') || this.#reader.isAt('...')) throw this.#refuseFunction()
    const schema = this.#parseSchema()
    this.#reader.expect(')')
    if (this.#reader.isAt('=>')) throw this.#refuseFunction()
    return schema
  }

  #parseTuple(): JsonSchema {
    const items: JsonSchema[] = []
    while (!this.#reader.accept(']')) {
      const isLabelled = this.#reader.next.kind === 'name' && this.#reader.second.text === ':'
      if (isLabelled) {
        this.#reader.take()
        this.#reader.take()
      }
      items.push(this.#parseSchema())
      if (!this.#reader.isAt(']')) this.#reader.expect(',')
    }
    return tupleOf(items)
  }

  #parseName(name: string): JsonSchema {
    if (this.#reader.accept('<')) return this.#parseGeneric(name)
    if (Object.hasOwn(SIMPLE, name)) return SIMPLE[name] ?? {}
    const declaration = this.#declarations.get(name)
    if (declaration !== undefined) return this.#unfold(name, declaration)
    throw this.#refuse(`has the type '${name}', which has no form in JSON or is not in the source`, adviceOn(name))
  }

  #parseGeneric(name: string): JsonSchema {
    const args = [this.#parseSchema()]
    while (this.#reader.accept(',')) args.push(this.#parseSchema())
    this.#reader.expect('>')
    const [first = {}, second] = args
    if (name === 'Array' || name === 'ReadonlyArray') return { type: 'array', items: first }
    if (name === 'Readonly' || name === 'Required') return first
    if (name === 'Partial' && first.type === 'object') return { ...first, required: [] }
    if (name === 'Record' && second !== undefined) return recordOf(first, second)
    throw this.#refuse(`has the type '${name}<…>', which has no form in JSON`, adviceOn(name))
  }

  #unfold(name: string, { kind, position }: Declaration): JsonSchema {
    if (this.#within.includes(name)) {
      throw this.#refuse(`has a type that contains itself: '${name}'`, 'Use Record<string, unknown> in its place.')
    }
    const reader = new TokenReader(this.#reader.tokens, position)
    const within = [...this.#within, name]
    const parser = new TypeParser(reader, this.#declarations, this.#what, within, this.#count)
    if (kind === 'interface') return parser.#parseInterface()
    if (kind === 'enum') return parser.#parseEnum(name)
    reader.expect('=')
    return parser.#parseSchema()
  }

  #parseInterface(): JsonSchema {
    const parts: JsonSchema[] = []
    if (this.#reader.accept('extends')) {
      do parts.push(this.#parsePostfix())
      while (this.#reader.accept(','))
    }
    this.#reader.expect('{')
    const own = this.parseMembers()
    return parts.length === 0 ? own : this.#mergeObjects([...parts, own])
  }

  #parseEnum(name: string): JsonSchema {
    const values: (string | number)[] = []
    this.#reader.expect('{')
    while (!this.#reader.accept('}')) {
      this.#reader.take()
      let value: string | number = values.length
      if (this.#reader.accept('=')) {
        const { kind, text } = this.#reader.take()
        if (kind !== 'text' && kind !== 'number') {
          throw this.#refuse(`has the enum '${name}' with a member that is no constant`, 'Give it a text or a number.')
        }
        value = kind === 'text' ? text : toNumber(text)
      }
      values.push(value)
      if (!this.#reader.isAt('}')) this.#reader.expect(',')
    }
    return enumOf(values)
  }

  /** The members of an object type, after its `{`. */
  parseMembers(): JsonSchema {
    const properties = new Map<string, JsonSchema>()
    const required: string[] = []
    let others: JsonSchema | undefined
    while (!this.#reader.accept('}')) {
      const { doc } = this.#reader
      if (this.#reader.isAt('readonly') && this.#reader.second.text !== ':') this.#reader.take()
      if (this.#reader.accept('[')) others = this.#parseIndexSignature()
      else {
        const name = this.#parseMemberName()
        const isOptional = this.#reader.accept('?')
        this.#reader.expect(':')
        const { schema, canBeUndefined } = this.parse()
        const summary = doc === undefined ? '' : readJsDoc(doc).summary
        properties.set(name, summary === '' ? schema : { ...schema, description: summary })
        if (!isOptional && !canBeUndefined) required.push(name)
      }
      if (!this.#reader.accept(';')) this.#reader.accept(',')
    }
    const open = others === undefined ? {} : { additionalProperties: others }
    return { ...objectOf(properties, required), ...open }
  }

  #parseMemberName(): string {
    const { kind, text } = this.#reader.take()
    if (kind !== 'name' && kind !== 'text') throw this.#refuse(`has a member '${text}'`, 'Name it.')
    if (this.#reader.isAt('(')) throw this.#refuse(`has the method '${text}'`, 'A model cannot send one: leave it out.')
    return text
  }

  /** `key: string]: T`, after the bracket. */
  #parseIndexSignature(): JsonSchema {
    this.#reader.expectName()
    this.#reader.expect(':')
    this.#parseSchema()
    this.#reader.expect(']')
    this.#reader.expect(':')
    return this.#parseSchema()
  }

  #refuseFunction() {
    return this.#refuse('takes a function', 'A model cannot send one: leave it out.')
  }

  #refuse(problem: string, advice: string) {
    return cannotDerive(`${this.#what} ${problem}. ${advice}`)
  }
}

const adviceOn = (name: string): string =>
  (Object.hasOwn(ADVICE, name) ? ADVICE[name] : undefined) ??
  'Declare it in the source as an interface, type or enum, or give json_schema.'

const toNumber = (text: string): number => Number(text.replaceAll('_', '').replace(/n$/, ''))

/** `Record<'a' | 'b', T>` has these members, any other Record has any. */
function recordOf(key: JsonSchema, value: JsonSchema): JsonSchema {
  if (!Array.isArray(key.enum)) return { type: 'object', additionalProperties: value }
  const names = key.enum.map(String)
  return objectOf(new Map(names.map((name) => [name, value])), names)
}

/** `'a' | 'b'` as one enumeration. */
function mergeConstants(members: readonly JsonSchema[]): JsonSchema {
  const constants = members.filter((member) => Array.isArray(member.enum))
  if (constants.length < 2) return unionOf(members)
  const merged = enumOf(constants.flatMap((member) => member.enum as (string | number | boolean)[]))
  const isBoolean = merged.type === 'boolean' && (merged.enum as unknown[]).length === 2
  return unionOf([isBoolean ? { type: 'boolean' } : merged, ...members.filter((member) => !Array.isArray(member.enum))])
}
