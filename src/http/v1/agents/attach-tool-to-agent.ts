import Type from 'typebox'
import { attachTool } from '#agent/attach-tool.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { NullBody, sendNull } from '#http/wire/send-null.ts'
import { AgentId } from './agent-schema.ts'

const Params = Type.Object({ ...AgentId.properties, tool_id: IdSchema('tool') })

export function attachToolToAgent(app: App, context: Context): void {
  app.patch(
    '/v1/agents/:agent_id/tools/attach/:tool_id',
    {
      config: { permission: 'agents:write' },
      schema: {
        operationId: 'attach_tool_to_agent',
        tags: ['agents'],
        summary: 'Attach a tool to an agent',
        params: Params,
        response: { 200: NullBody },
      },
    },
    async ({ actor, params }, reply) => {
      await attachTool(context.db, actor, params.agent_id, params.tool_id)
      return sendNull(reply)
    },
  )
}
