import type { ClassDef, ExprNode, FunctionDef, Module, StmtNode } from 'py-ast'
import { cannotDerive, MAX_SOURCE_CHARACTERS, MAX_TYPES } from '#tools/schema/tool-schema.ts'

/** A function, async or not: both have the same members. */
export type PythonFunction = Pick<FunctionDef, 'name' | 'args' | 'body'>

type Parse = (source: string) => Module

/** A Python source, read and never run: its top-level functions, classes and names of types. */
export class PythonModule {
  /** The last definition of each name, in the order of the source. */
  readonly functions = new Map<string, PythonFunction>()
  readonly classes = new Map<string, ClassDef>()
  readonly #aliases = new Map<string, ExprNode>()
  /** `L` for `List` after `from typing import List as L`. */
  readonly #importedAs = new Map<string, string>()
  readonly #parse: Parse
  #typeCount = 0

  private constructor(parse: Parse, module: Module) {
    this.#parse = parse
    for (const node of module.body) this.#add(node)
  }

  /** Throws invalid_argument for what is no Python. The parser is loaded when a first source needs it. */
  static async read(source: string): Promise<PythonModule> {
    if (source.length > MAX_SOURCE_CHARACTERS) {
      throw cannotDerive(
        `the source has ${source.length} characters, at most ${MAX_SOURCE_CHARACTERS} are read. Give json_schema, or shorten it.`,
      )
    }
    const { parse } = await import('py-ast')
    return new PythonModule(parse, parseSource(parse, source))
  }

  #add(node: StmtNode): void {
    if (node.nodeType === 'FunctionDef' || node.nodeType === 'AsyncFunctionDef') {
      this.functions.delete(node.name)
      this.functions.set(node.name, node)
    } else if (node.nodeType === 'ClassDef') this.classes.set(node.name, node)
    else if (node.nodeType === 'ImportFrom') {
      for (const { name, asname } of node.names) if (asname !== undefined) this.#importedAs.set(asname, name)
    } else if (node.nodeType === 'TypeAlias' && node.name.nodeType === 'Name')
      this.#aliases.set(node.name.id, node.value)
    else if (node.nodeType === 'AnnAssign' && node.target.nodeType === 'Name' && node.value !== undefined) {
      this.#aliases.set(node.target.id, node.value)
    } else if (node.nodeType === 'Assign' && node.targets[0]?.nodeType === 'Name') {
      this.#aliases.set(node.targets[0].id, node.value)
    }
  }

  /** The type that a top-level name stands for: `Mode = Literal["a", "b"]`. */
  findAlias(name: string): ExprNode | undefined {
    return this.#aliases.get(name)
  }

  /** What a class or type is called where it comes from: `List` for `typing.List`, `t.List` and `L`. Undefined for no name. */
  nameOf(node: ExprNode): string | undefined {
    if (node.nodeType === 'Attribute') return node.attr
    return node.nodeType === 'Name' ? (this.#importedAs.get(node.id) ?? node.id) : undefined
  }

  /** The expression in a text, for annotations in quotes; undefined where the text is none. */
  parseExpression(text: string): ExprNode | undefined {
    try {
      const [first, ...others] = this.#parse(text.trim()).body
      return first?.nodeType === 'Expr' && others.length === 0 ? first.value : undefined
    } catch {
      return undefined
    }
  }

  /** Counts a type that is written out, and throws invalid_argument where they are too many. */
  countType(what: string): void {
    this.#typeCount += 1
    if (this.#typeCount > MAX_TYPES) {
      throw cannotDerive(
        `the type of ${what} unfolds into more than ${MAX_TYPES} types. Use a simpler type, or give json_schema.`,
      )
    }
  }
}

function parseSource(parse: Parse, source: string): Module {
  try {
    // the parser knows no form feed, which Python takes for a blank
    return parse(source.replaceAll('\f', ' '))
  } catch (error) {
    if (error instanceof RangeError) throw cannotDerive('the source is nested too deeply. Give json_schema.')
    const reason = error instanceof Error ? error.message : 'invalid syntax'
    throw cannotDerive(`the source is not valid Python: ${reason}. Correct it.`)
  }
}
