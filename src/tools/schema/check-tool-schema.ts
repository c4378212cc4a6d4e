import { Ajv } from 'ajv'
import { invalidArgument } from '#platform/errors.ts'
import { type JsonSchema, MAX_TOOL_NAME_LENGTH, type ToolSchema } from './tool-schema.ts'

/** What every provider of models takes for the name of a function. */
const NAME = /^[a-zA-Z0-9_-]+$/

const metaSchema = new Ajv({ strict: false, logger: false })

/**
 * The same schema, when a model can be told it: a name that providers take, parameters that are JSON Schema of an object. Others are
 * refused with invalid_argument.
 */
export function checkToolSchema(schema: JsonSchema | ToolSchema): ToolSchema {
  const { name, description, parameters } = schema
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw refuse(`the name ${JSON.stringify(name ?? null)} is none for a tool`, 'Use letters, digits, _ and -.')
  }
  if (name.length > MAX_TOOL_NAME_LENGTH) {
    throw refuse(`the name '${name}' has ${name.length} characters`, `Use ${MAX_TOOL_NAME_LENGTH} or fewer.`)
  }
  if (description != null && typeof description !== 'string') throw refuse('description is no text', 'Write one.')
  checkParameters(parameters)
  return schema as ToolSchema
}

function checkParameters(parameters: unknown): void {
  if (parameters == null) return
  if (typeof parameters !== 'object' || Array.isArray(parameters)) {
    throw refuse('parameters is no JSON Schema', 'Use {"type": "object", "properties": {…}}.')
  }
  const { type } = parameters as JsonSchema
  if (type !== undefined && type !== 'object') {
    throw refuse(`parameters has the type ${JSON.stringify(type)}`, 'The arguments of a tool are an object.')
  }
  // only looked at: compiling what anybody sends would let it run expensive patterns in this process
  if (!isJsonSchema(parameters)) {
    const [error] = metaSchema.errors ?? []
    throw refuse(`parameters is no JSON Schema: ${error?.instancePath ?? ''} ${error?.message ?? ''}`, 'Correct it.')
  }
}

function isJsonSchema(parameters: object): boolean {
  // a draft of its own that Ajv does not know is not looked up
  const { $schema: _, ...rest } = parameters as JsonSchema
  return metaSchema.validateSchema(rest) === true
}

const refuse = (problem: string, advice: string) =>
  invalidArgument(`INVALID_ARGUMENT: json_schema: ${problem}. ${advice}`)
