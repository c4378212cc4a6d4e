import Type from 'typebox'
import { detachTool } from '#agent/attach-tool.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { NullBody, sendNull } from '#http/wire/send-null.ts'
import { AgentId } from './agent-schema.ts'

const Params = Type.Object({ ...AgentId.properties, tool_id: IdSchema('tool') })

export function detachToolFromAgent(app: App, context: Context): void {
  app.patch(
    '/v1/agents/:agent_id/tools/detach/:tool_id',
    {
      config: { permission: 'agents:write' },
      schema: {
        operationId: 'detach_tool_from_agent',
        tags: ['agents'],
        summary: 'Detach a tool from an agent',
        params: Params,
        response: { 200: NullBody },
      },
    },
    async ({ actor, params }, reply) => {
      await detachTool(context.db, actor.organizationId, params.agent_id, params.tool_id)
      return sendNull(reply)
    },
  )
}
