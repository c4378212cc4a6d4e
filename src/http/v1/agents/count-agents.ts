import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import * as reader from '#store/agents/agent-reader.ts'

export function countAgents(app: App, context: Context): void {
  app.get(
    '/v1/agents/count',
    {
      config: { permission: 'agents:read' },
      schema: {
        operationId: 'count_agents',
        tags: ['agents'],
        summary: 'Count all agents, hidden ones too',
        response: { 200: Type.Integer() },
      },
    },
    ({ actor }) => reader.countAgents(context.db, actor.organizationId, { includesHidden: true }),
  )
}
