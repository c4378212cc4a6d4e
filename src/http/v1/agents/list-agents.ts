import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { pagingParameters, toPageRequest } from '#http/wire/paging.ts'
import * as reader from '#store/agents/agent-reader.ts'
import { agentFilterParameters, toAgentFilter } from './agent-filter.ts'
import { AgentSchema, includeParameters } from './agent-schema.ts'
import { presentAgent } from './present-agent.ts'
import { catalogOf } from './read-agent.ts'
import { toAgentInclude } from './to-agent-include.ts'

const ORDERS = ['created_at', 'updated_at', 'last_run_completion'] as const

const Query = Type.Object({
  ...pagingParameters({ orderBy: ORDERS }),
  ...agentFilterParameters,
  ...includeParameters,
  ascending: Type.Optional(Type.Boolean({ deprecated: true, description: 'Use order=asc' })),
  sort_by: Type.Optional(Type.String({ deprecated: true, description: 'Use order_by' })),
})

export function listAgents(app: App, context: Context): void {
  app.get(
    '/v1/agents',
    {
      config: { permission: 'agents:read' },
      schema: {
        operationId: 'list_agents',
        tags: ['agents'],
        summary: 'List agents, newest first unless asked otherwise',
        querystring: Query,
        response: { 200: Type.Array(AgentSchema) },
      },
    },
    async ({ actor, query }) => {
      const filter = toAgentFilter(query)
      const page = {
        ...toPageRequest(query),
        order: query.ascending ? ('asc' as const) : query.order,
        orderBy: ORDERS.find((column) => column === query.sort_by) ?? query.order_by,
      }
      const include = toAgentInclude(query)
      const agents = await reader.listAgents(context.db, actor.organizationId, filter, page, include)
      const catalog = await catalogOf(context, actor.organizationId)
      return agents.map((agent) => presentAgent(agent, catalog))
    },
  )
}
