import {
  cannotDerive,
  type JsonSchema,
  MAX_SOURCE_CHARACTERS,
  objectOf,
  type ToolSchema,
} from '#tools/schema/tool-schema.ts'
import { type JsDoc, readJsDoc } from './jsdoc.ts'
import { TokenReader } from './token-reader.ts'
import { tokenize } from './tokenize.ts'
import { type Declaration, TypeParser } from './type-parser.ts'

/** What the server gives to a function itself; models do not see it. */
const RESERVED = new Set(['this', 'agent_state', 'agentState', 'client'])

interface ExportedFunction {
  name: string
  doc: JsDoc
  isDefault: boolean
  /** Of the parenthesis that opens its parameters. */
  position: number
}

interface TypeScriptModule {
  reader: TokenReader
  declarations: Map<string, Declaration>
  functions: ExportedFunction[]
}

/**
 * The schema of the default export of a TypeScript source, or else of its last exported function, read without running it: types from
 * the signature, words from its JSDoc. `description` stands in for the JSDoc's text. Throws invalid_argument with what to change.
 */
export function deriveTypeScriptSchema(source: string, description?: string): ToolSchema {
  const module = readModule(source)
  const tool = findTool(module)
  const summary = summaryOf(tool, description)
  const properties = new Map<string, JsonSchema>()
  const required: string[] = []
  const reader = new TokenReader(module.reader.tokens, tool.position)
  reader.expect('(')
  while (!reader.accept(')')) {
    const { name, schema, isRequired } = parseParameter(reader, tool, module)
    if (schema !== undefined) {
      properties.set(name, schema)
      if (isRequired) required.push(name)
    }
    if (!reader.isAt(')')) reader.expect(',')
  }
  return { name: tool.name, description: summary, parameters: objectOf(properties, required) }
}

/** Name and description alone, for a source whose parameters are described elsewhere. */
export function readTypeScriptName(source: string, description?: string): Pick<ToolSchema, 'name' | 'description'> {
  const tool = findTool(readModule(source))
  return { name: tool.name, description: summaryOf(tool, description) }
}

/** Names of the exported functions of a TypeScript source. Throws invalid_argument for what cannot be read. */
export function listTypeScriptFunctions(source: string): string[] {
  return readModule(source).functions.map(({ name }) => name)
}

function summaryOf({ name, doc }: ExportedFunction, given: string | undefined): string {
  const summary = [doc.summary, given].find((text) => text !== undefined && text.trim() !== '')
  if (summary !== undefined) return summary
  if (doc.params.size > 0) return name
  throw cannotDerive(`'${name}' has no JSDoc comment that says what it does. Write one above it: /** What it does. */.`)
}

function findTool({ functions }: TypeScriptModule): ExportedFunction {
  const tool = functions.find(({ isDefault }) => isDefault) ?? functions.at(-1)
  if (tool !== undefined) return tool
  throw cannotDerive('the source exports no function. Write one: export function myTool(text: string): string { … }.')
}

/** Notes what stands at the top level, and skips everything else. */
function readModule(source: string): TypeScriptModule {
  if (source.length > MAX_SOURCE_CHARACTERS) {
    throw cannotDerive(
      `the source has ${source.length} characters, at most ${MAX_SOURCE_CHARACTERS} are read. Give json_schema, or shorten it.`,
    )
  }
  const reader = new TokenReader(tokenize(source))
  const module: TypeScriptModule = { reader, declarations: new Map(), functions: [] }
  while (reader.next.kind !== 'end') readStatement(module)
  return module
}

function readStatement({ reader, declarations, functions }: TypeScriptModule): void {
  const doc = readJsDoc(reader.doc ?? '')
  const isExported = reader.accept('export')
  const isDefault = isExported && reader.accept('default')
  reader.accept('declare')
  if (reader.isAt('async') && reader.second.text === 'function') reader.take()
  const keyword = reader.next.kind === 'name' && reader.second.kind === 'name' ? reader.next.text : ''
  if (keyword === 'interface' || keyword === 'type') {
    reader.take()
    declarations.set(reader.expectName(), { kind: keyword, position: reader.position })
  } else if (keyword === 'enum' || (keyword === 'const' && reader.second.text === 'enum')) {
    if (keyword === 'const') reader.take()
    reader.take()
    declarations.set(reader.expectName(), { kind: 'enum', position: reader.position })
  } else if (keyword === 'function') {
    reader.take()
    const name = reader.expectName()
    if (reader.isAt('<')) skipTypeParameters(reader)
    if (isExported) functions.push({ name, doc, isDefault, position: reader.position })
  } else if (isExported && (keyword === 'const' || keyword === 'let')) {
    reader.take()
    const name = reader.expectName()
    const position = findArrow(reader)
    if (position !== undefined) functions.push({ name, doc, isDefault: false, position })
  } else reader.skip()
}

/** `= async (`, `= function name(`: where the parameters open; undefined where the constant is no function. */
function findArrow(reader: TokenReader): number | undefined {
  if (!reader.accept('=')) return undefined
  reader.accept('async')
  const isFunction = reader.accept('function')
  if (isFunction && reader.next.kind === 'name') reader.take()
  if (!reader.isAt('(')) return undefined
  const { position } = reader
  reader.skip()
  return isFunction || reader.isAt('=>') || reader.isAt(':') ? position : undefined
}

function skipTypeParameters(reader: TokenReader): void {
  while (!reader.isAt('(') && reader.next.kind !== 'end') reader.take()
}

function parseParameter(reader: TokenReader, tool: ExportedFunction, module: TypeScriptModule) {
  if (reader.next.kind !== 'name') {
    throw cannotDerive(
      `'${tool.name}' has a parameter that is no plain name: '${reader.next.text}'. Write each argument as a parameter of its own.`,
    )
  }
  const name = reader.take().text
  const what = `parameter '${name}' of '${tool.name}'`
  const isOptional = reader.accept('?')
  if (RESERVED.has(name)) {
    skipRest(reader)
    return { name, schema: undefined, isRequired: false }
  }
  if (!reader.accept(':')) throw cannotDerive(`${what} has no type. Write it: ${name}: string.`)
  const { schema, canBeUndefined } = new TypeParser(reader, module.declarations, what).parse()
  const hasDefault = reader.isAt('=')
  skipRest(reader)
  const description = tool.doc.params.get(name) || schema.description
  if (typeof description !== 'string' || description === '') {
    throw cannotDerive(`${what} is not described. Add a line to the JSDoc comment: @param ${name} - what it is.`)
  }
  return { name, schema: { ...schema, description }, isRequired: !isOptional && !hasDefault && !canBeUndefined }
}

/** To the comma or parenthesis that ends the parameter. */
function skipRest(reader: TokenReader): void {
  while (!reader.isAt(',') && !reader.isAt(')')) {
    if (reader.next.kind === 'end') throw reader.refuse("')'")
    reader.skip()
  }
}
