import Type from 'typebox'
import { removeAgent } from '#agent/remove-agent.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { AgentId } from './agent-schema.ts'

export function deleteAgent(app: App, context: Context): void {
  app.delete(
    '/v1/agents/:agent_id',
    {
      config: { permission: 'agents:write' },
      schema: {
        operationId: 'delete_agent',
        tags: ['agents'],
        summary: 'Delete an agent with its conversations, messages and runs; its blocks stay',
        params: AgentId,
        response: { 200: Type.Object({ message: Type.String() }) },
      },
    },
    async ({ actor, params }) => {
      await removeAgent(context.db, actor.organizationId, params.agent_id)
      return { message: `Agent id=${params.agent_id} successfully deleted` }
    },
  )
}
