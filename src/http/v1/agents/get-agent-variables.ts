import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { getAgent } from '#store/agents/agent-reader.ts'
import { AgentId } from './agent-schema.ts'

const Variables = Type.Object({
  variables: Type.Unsafe<Record<string, string>>({ type: 'object', additionalProperties: { type: 'string' } }),
})

export function getAgentVariables(app: App, context: Context): void {
  app.get(
    '/v1/agents/:agent_id/core-memory/variables',
    {
      config: { permission: 'agents:read' },
      schema: {
        operationId: 'agents.getAgentVariables',
        tags: ['agents'],
        summary: 'What was put into the memory blocks for {{variable}} when the agent was created',
        params: AgentId,
        response: { 200: Variables },
      },
    },
    async ({ actor, params }) => {
      const agent = await getAgent(context.db, actor.organizationId, params.agent_id, {})
      return { variables: agent.memory_variables ?? {} }
    },
  )
}
