import { invalidArgument } from '#platform/errors.ts'
import { checkToolSchema } from './check-tool-schema.ts'
import { inlineReferences } from './inline-references.ts'
import { derivePythonSchema, listPythonFunctions, readPythonName } from './python/python-tool.ts'
import { cannotDerive, type JsonSchema, type ToolSchema } from './tool-schema.ts'
import { deriveTypeScriptSchema, listTypeScriptFunctions, readTypeScriptName } from './typescript/typescript-tool.ts'

export interface ToolSource {
  /** `python`, `typescript` or `json`. */
  sourceType: string
  sourceCode: string
  /** Wins over everything that the source says. */
  jsonSchema?: JsonSchema | null | undefined
  /** Of the parameters alone; name and description come from the source. */
  argsJsonSchema?: JsonSchema | null | undefined
  /** Stands in for the text that the source lacks. */
  description?: string | null | undefined
}

/**
 * What a model is told of a tool that people bring. The source is read and never run. Throws invalid_argument, with what to change,
 * where there is no telling.
 */
export async function deriveToolSchema(source: ToolSource): Promise<ToolSchema> {
  const schema = source.jsonSchema == null ? await refusingDepth(() => readSource(source)) : source.jsonSchema
  return checkToolSchema(schema)
}

/** What is nested a thousand times deep exhausts the stack of whoever reads it. */
async function refusingDepth<Result>(read: () => Promise<Result>): Promise<Result> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof RangeError)
      throw cannotDerive('the source is nested too deeply. Simplify it, or give json_schema.')
    throw error
  }
}

async function readSource({ sourceType, sourceCode, argsJsonSchema, description }: ToolSource): Promise<ToolSchema> {
  checkSourceType(sourceType)
  if (sourceType === 'json') throw cannotDerive("a tool of source_type 'json' has no code to read. Give json_schema.")
  const isPython = sourceType === 'python'
  const spare = description ?? undefined
  if (argsJsonSchema == null) {
    return isPython ? derivePythonSchema(sourceCode, spare) : deriveTypeScriptSchema(sourceCode, spare)
  }
  const named = isPython ? await readPythonName(sourceCode, spare) : readTypeScriptName(sourceCode, spare)
  return { ...named, parameters: inlineReferences(argsJsonSchema) }
}

/** Names of the functions that a source defines, one of which a schema must name. Throws as `deriveToolSchema` does. */
export async function listSourceFunctions(sourceType: string, sourceCode: string): Promise<string[]> {
  checkSourceType(sourceType)
  return refusingDepth(async () =>
    sourceType === 'python' ? listPythonFunctions(sourceCode) : listTypeScriptFunctions(sourceCode),
  )
}

function checkSourceType(sourceType: string): void {
  if (!['python', 'typescript', 'json'].includes(sourceType)) {
    throw invalidArgument(
      `INVALID_ARGUMENT: There is no source_type '${sourceType}'. Use one of: python, typescript, json.`,
    )
  }
}
