import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import * as reader from '#store/agents/agent-reader.ts'
import { agentFilterParameters, toAgentFilter } from './agent-filter.ts'

const { show_hidden_agents: _, ...filterParameters } = agentFilterParameters

export function countAgents(app: App, context: Context): void {
  app.get(
    '/v1/agents/count',
    {
      config: { permission: 'agents:read' },
      schema: {
        operationId: 'count_agents',
        tags: ['agents'],
        summary: 'Count agents, hidden ones too',
        querystring: Type.Object(filterParameters),
        response: { 200: Type.Integer() },
      },
    },
    async ({ actor, query }) => {
      const filter = toAgentFilter({ ...query, show_hidden_agents: true })
      return filter === undefined ? 0 : reader.countAgents(context.db, actor.organizationId, filter)
    },
  )
}
