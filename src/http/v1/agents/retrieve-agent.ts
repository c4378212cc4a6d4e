import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { AgentId, AgentSchema, includeParameters } from './agent-schema.ts'
import { readAgent } from './read-agent.ts'
import { toAgentInclude } from './to-agent-include.ts'

export function retrieveAgent(app: App, context: Context): void {
  app.get(
    '/v1/agents/:agent_id',
    {
      config: { permission: 'agents:read' },
      schema: {
        operationId: 'retrieve_agent',
        tags: ['agents'],
        summary: 'Retrieve an agent, with the relations asked for',
        params: AgentId,
        querystring: Type.Object(includeParameters),
        response: { 200: AgentSchema },
      },
    },
    ({ actor, params, query }) => readAgent(context, actor.organizationId, params.agent_id, toAgentInclude(query)),
  )
}
