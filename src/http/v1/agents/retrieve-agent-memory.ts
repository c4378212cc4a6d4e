import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { presentBlock } from '#http/v1/blocks/present-block.ts'
import { getAgent } from '#store/agents/agent-reader.ts'
import { AgentId, MemorySchema } from './agent-schema.ts'
import { presentMemory } from './present-agent.ts'

export function retrieveAgentMemory(app: App, context: Context): void {
  app.get(
    '/v1/agents/:agent_id/core-memory',
    {
      config: { permission: 'agents:read' },
      schema: {
        operationId: 'retrieve_agent_memory',
        tags: ['agents'],
        summary: "Retrieve an agent's core memory",
        params: AgentId,
        response: { 200: MemorySchema },
      },
    },
    async ({ actor, params }) => {
      const agent = await getAgent(context.db, actor.organizationId, params.agent_id, { blocks: true })
      return presentMemory(agent.agent_type, agent.blocks.map(presentBlock))
    },
  )
}
