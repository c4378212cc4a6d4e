import Type, { type Static } from 'typebox'
import { limitText } from '#agent/run-tools.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { AnyObject, Nullable, StringEnum, Timestamp } from '#http/wire/nullable.ts'
import { newOrderedId } from '#platform/ids.ts'
import { DEFAULT_RETURN_CHAR_LIMIT, toRequirements } from '#tools/create-tool.ts'
import { deriveToolSchema } from '#tools/schema/derive-tool-schema.ts'
import type { ToolSchema } from '#tools/schema/tool-schema.ts'
import { failure, type ToolOutcome } from '#tools/tool.ts'
import { findCustomArgumentProblem } from '#tools/validate-arguments.ts'
import { presentExecution } from './present-execution.ts'
import { CreateToolSchema } from './tool-schema.ts'

const { source_code, source_type, json_schema, args_json_schema, pip_requirements, npm_requirements, metadata_ } =
  CreateToolSchema.properties

const RunFromSourceSchema = Type.Object({
  source_code,
  args: AnyObject,
  env_vars: Type.Optional(
    Nullable(Type.Unsafe<Record<string, string>>({ type: 'object', additionalProperties: { type: 'string' } })),
  ),
  name: Type.Optional(Nullable(Type.String())),
  source_type,
  json_schema,
  args_json_schema,
  pip_requirements,
  npm_requirements,
  metadata_,
})

const Lines = Nullable(Type.Array(Type.String()))
const NullableString = Nullable(Type.String())
const ToolStatus = StringEnum(['success', 'error'])
const ToolReturnMessage = Type.Object({
  id: Type.String(),
  date: Timestamp,
  name: Nullable(Type.String()),
  message_type: Type.Literal('tool_return_message'),
  tool_return: Type.String(),
  status: ToolStatus,
  tool_call_id: Type.String(),
  stdout: Lines,
  stderr: Lines,
  tool_returns: Type.Array(
    Type.Object({
      type: Type.Literal('tool'),
      tool_return: Type.String(),
      status: ToolStatus,
      tool_call_id: Type.String(),
      stdout: Lines,
      stderr: Lines,
    }),
  ),
  otid: NullableString,
  sender_id: NullableString,
  step_id: NullableString,
  is_err: Nullable(Type.Boolean()),
  seq_id: Nullable(Type.Integer()),
  run_id: NullableString,
})

export function runToolFromSource(app: App, context: Context): void {
  app.post(
    '/v1/tools/run',
    {
      config: { permission: 'tools:write' },
      schema: {
        operationId: 'run_tool_from_source',
        tags: ['tools'],
        summary: 'Run a tool from its source in the sandbox; nothing is stored',
        body: RunFromSourceSchema,
        response: { 200: ToolReturnMessage },
      },
    },
    async ({ actor, body }) => {
      const sourceType = body.source_type ?? 'python'
      const schema = await deriveToolSchema({
        sourceType,
        sourceCode: body.source_code,
        jsonSchema: body.json_schema,
        argsJsonSchema: body.args_json_schema,
      })
      const name = body.name ?? schema.name
      const outcome = await runSource(context, actor.organizationId, schema, body)
      const { func_return, status, stdout, stderr } = presentExecution(outcome)
      const returned = { tool_return: func_return, status, tool_call_id: newOrderedId('call'), stdout, stderr }
      return {
        id: newOrderedId('message'),
        date: new Date().toISOString(),
        name,
        message_type: 'tool_return_message' as const,
        ...returned,
        tool_returns: [{ type: 'tool' as const, ...returned }],
        otid: null,
        sender_id: null,
        step_id: null,
        is_err: status === 'error',
        seq_id: null,
        run_id: null,
      }
    },
  )
}

/** Runs the function that the schema names, on arguments that fit it. */
async function runSource(
  { customTools }: Context,
  organizationId: string,
  schema: ToolSchema,
  body: Static<typeof RunFromSourceSchema>,
): Promise<ToolOutcome> {
  const problem = findCustomArgumentProblem(schema.parameters, body.args)
  if (problem !== undefined) return failure(`Invalid arguments for ${schema.name}: ${problem}.`)
  const isPython = (body.source_type ?? 'python') === 'python'
  const outcome = await customTools.runSource(
    {
      organizationId,
      language: isPython ? 'python' : 'typescript',
      sourceCode: body.source_code,
      functionName: schema.name,
      args: body.args,
      env: body.env_vars ?? {},
      requirements: toRequirements(isPython ? body.pip_requirements : body.npm_requirements) ?? [],
      network: body.metadata_?.network,
      returnCharLimit: DEFAULT_RETURN_CHAR_LIMIT,
    },
    new AbortController().signal,
  )
  return { ...outcome, text: limitText(outcome.text, DEFAULT_RETURN_CHAR_LIMIT, outcome.textLength) }
}
