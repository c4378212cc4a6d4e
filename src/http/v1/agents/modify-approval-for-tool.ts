import Type from 'typebox'
import { setToolApproval } from '#agent/attach-tool.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { Nullable } from '#http/wire/nullable.ts'
import { NullBody, sendNull } from '#http/wire/send-null.ts'
import { unprocessable } from '#platform/errors.ts'
import { AgentId } from './agent-schema.ts'

const Params = Type.Object({ ...AgentId.properties, tool_name: Type.String({ minLength: 1 }) })
const Choice = { requires_approval: Type.Optional(Type.Boolean()) }
/** The official client 1.12 sends the field by the name of its own parameter. */
const ClientChoice = { ...Choice, body_requires_approval: Type.Optional(Type.Boolean()) }

export function modifyApprovalForTool(app: App, context: Context): void {
  app.patch(
    '/v1/agents/:agent_id/tools/approval/:tool_name',
    {
      config: { permission: 'agents:write' },
      schema: {
        operationId: 'modify_approval_for_tool',
        tags: ['agents'],
        summary: 'Set whether a tool of the agent waits for an approval',
        params: Params,
        querystring: Type.Object(Choice),
        body: Type.Optional(Nullable(Type.Object(ClientChoice, { additionalProperties: false }))),
        response: { 200: NullBody },
      },
    },
    async ({ actor, params, query, body }, reply) => {
      const isRequired = body?.requires_approval ?? body?.body_requires_approval ?? query.requires_approval
      if (isRequired === undefined) throw unprocessable('body.requires_approval: Field required')
      await setToolApproval(context.db, actor, params.agent_id, { toolName: params.tool_name, isRequired })
      return sendNull(reply)
    },
  )
}
