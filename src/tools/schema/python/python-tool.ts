import type { Arg, ClassDef, ExprNode, StmtNode } from 'py-ast'
import { cannotDerive, type JsonSchema, objectOf, type ToolSchema, withoutNull } from '#tools/schema/tool-schema.ts'
import { annotationSchema } from './annotation-schema.ts'
import { type Docstring, findDocstring } from './docstring.ts'
import { isNone, literalOf } from './literal.ts'
import { type PythonFunction, PythonModule } from './python-module.ts'

/** What the server gives to a function itself; models do not see it. */
const RESERVED = new Set(['self', 'agent_state', 'client'])

/** The function of a source that is the tool, with what models are told of it apart from its parameters. */
interface PythonTool {
  name: string
  description: string | undefined
  callable: PythonFunction
  docstring: Docstring | undefined
  module: PythonModule
}

/**
 * The schema of the last function at the top level of a Python source (or, where there is none, of the last class with a method
 * `run`), read without running it. `description` stands in for a docstring's summary. Throws invalid_argument with what to change.
 */
export async function derivePythonSchema(source: string, description?: string): Promise<ToolSchema> {
  const tool = findTool(await PythonModule.read(source))
  const summary = summaryOf(tool, description)
  const properties = new Map<string, JsonSchema>()
  const required: string[] = []
  for (const { arg, value } of parametersOf(tool)) {
    if (RESERVED.has(arg.arg)) continue
    if (properties.has(arg.arg)) throw cannotDerive(`'${tool.name}' has two parameters '${arg.arg}'. Rename one.`)
    properties.set(arg.arg, parameterSchema(arg, value, tool))
    if (value === undefined) required.push(arg.arg)
  }
  return { name: tool.name, description: summary, parameters: objectOf(properties, required) }
}

/** Name and description alone, for a source whose parameters are described elsewhere. */
export async function readPythonName(
  source: string,
  description?: string,
): Promise<Pick<ToolSchema, 'name' | 'description'>> {
  const tool = findTool(await PythonModule.read(source))
  return { name: tool.name, description: summaryOf(tool, description) }
}

/** Names of the functions at the top level of a Python source. Throws invalid_argument for what is no Python. */
export async function listPythonFunctions(source: string): Promise<string[]> {
  return [...(await PythonModule.read(source)).functions.keys()]
}

function findTool(module: PythonModule): PythonTool {
  const callable = [...module.functions.values()].at(-1)
  if (callable !== undefined) {
    const docstring = findDocstring(callable.body)
    return { name: callable.name, description: docstring?.summary, callable, docstring, module }
  }
  for (const definition of [...module.classes.values()].reverse()) {
    const run = definition.body.find(isRunMethod)
    if (run !== undefined) return toolOfClass(definition, run, module)
  }
  throw cannotDerive('the source has no function at its top level. Write one: def my_tool(text: str) -> str.')
}

type FunctionNode = Extract<StmtNode, { nodeType: 'FunctionDef' | 'AsyncFunctionDef' }>

const isRunMethod = (node: StmtNode): node is FunctionNode =>
  (node.nodeType === 'FunctionDef' || node.nodeType === 'AsyncFunctionDef') && node.name === 'run'

/** A class of the Python SDK's `BaseTool`: it names itself in `name` and `description`. */
function toolOfClass(definition: ClassDef, run: PythonFunction, module: PythonModule): PythonTool {
  const docstring = findDocstring(run.body) ?? findDocstring(definition.body)
  const name = textOfMember(definition, 'name') ?? definition.name
  return {
    name,
    description: textOfMember(definition, 'description') ?? docstring?.summary,
    callable: run,
    docstring,
    module,
  }
}

function textOfMember(definition: ClassDef, name: string): string | undefined {
  for (const node of definition.body) {
    const target =
      node.nodeType === 'AnnAssign' ? node.target : node.nodeType === 'Assign' ? node.targets[0] : undefined
    if (target?.nodeType !== 'Name' || target.id !== name) continue
    const value = 'value' in node && node.value !== undefined ? literalOf(node.value as ExprNode) : undefined
    if (typeof value === 'string') return value
  }
  return undefined
}

function summaryOf(tool: PythonTool, given: string | undefined): string {
  const summary = [tool.description, given].find((text) => text !== undefined && text.trim() !== '')
  if (summary !== undefined) return summary
  // V1's clients have docstrings that tell of parameters alone
  if (tool.docstring !== undefined && tool.docstring.args.size > 0) return tool.name
  throw cannotDerive(
    `'${tool.name}' has no docstring that says what it does. Begin its body with one: what the tool does, then 'Args:' with a line for each parameter.`,
  )
}

/** Parameters in their order; `value` is the default, undefined where there is none. */
function parametersOf({ name, callable }: PythonTool): { arg: Arg; value: ExprNode | undefined }[] {
  const { posonlyargs, args, vararg, kwonlyargs, kw_defaults, kwarg, defaults } = callable.args
  const rest = vararg === undefined ? (kwarg === undefined ? undefined : `**${kwarg.arg}`) : `*${vararg.arg}`
  if (rest !== undefined) {
    throw cannotDerive(
      `parameter '${rest}' of '${name}' takes arguments without names. Write each argument as a parameter of its own, or take one dict.`,
    )
  }
  const positional = [...posonlyargs, ...args]
  const firstDefault = positional.length - defaults.length
  return [
    ...positional.map((arg, index) => ({ arg, value: defaults[index - firstDefault] })),
    ...kwonlyargs.map((arg, index) => ({ arg, value: kw_defaults[index] ?? undefined })),
  ]
}

function parameterSchema(arg: Arg, value: ExprNode | undefined, tool: PythonTool): JsonSchema {
  const what = `parameter '${arg.arg}' of '${tool.name}'`
  if (arg.annotation === undefined) throw cannotDerive(`${what} has no type. Write it: ${arg.arg}: str.`)
  const type = annotationSchema(arg.annotation, { module: tool.module, what, within: [] })
  const schema = isNone(value) ? withoutNull(type) : type
  const description = tool.docstring?.args.get(arg.arg) || schema.description
  if (typeof description !== 'string' || description === '') {
    throw cannotDerive(
      `${what} is not described. Add a line for it to the docstring: 'Args:', and below it '    ${arg.arg}: what it is'.`,
    )
  }
  return { ...schema, description }
}
