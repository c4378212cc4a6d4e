import Type from 'typebox'
import type { App } from '#http/app.ts'
import { AnyObject, Nullable, StringEnum, Timestamp } from '#http/wire/nullable.ts'
import { newOrderedId } from '#platform/ids.ts'
import { runCustomTool } from '#tools/custom-tool.ts'
import { deriveToolSchema } from '#tools/schema/derive-tool-schema.ts'
import { CreateToolSchema } from './tool-schema.ts'

const { source_code, source_type, json_schema, args_json_schema, pip_requirements, npm_requirements } =
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

export function runToolFromSource(app: App): void {
  app.post(
    '/v1/tools/run',
    {
      config: { permission: 'tools:write' },
      schema: {
        operationId: 'run_tool_from_source',
        tags: ['tools'],
        summary:
          'Run a tool from its source, which is not stored; this version reads it and says that it cannot run it',
        body: RunFromSourceSchema,
        response: { 200: ToolReturnMessage },
      },
    },
    async ({ body }) => {
      const schema = await deriveToolSchema({
        sourceType: body.source_type ?? 'python',
        sourceCode: body.source_code,
        jsonSchema: body.json_schema,
        argsJsonSchema: body.args_json_schema,
      })
      const { status, text } = runCustomTool({ name: body.name ?? schema.name, tool_type: 'custom' })
      const returned = {
        tool_return: text,
        status,
        tool_call_id: newOrderedId('call'),
        stdout: [],
        stderr: status === 'error' ? [text] : [],
      }
      return {
        id: newOrderedId('message'),
        date: new Date().toISOString(),
        name: body.name ?? schema.name,
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
