import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { presentTool } from '#http/v1/tools/present-tool.ts'
import { ToolSchema } from '#http/v1/tools/tool-schema.ts'
import { pagingParameters, toPageRequest } from '#http/wire/paging.ts'
import { listToolsOfAgent } from '#store/agents/agent-tool-reader.ts'
import { requireAgent } from '#store/agents/require-agent.ts'
import { AgentId } from './agent-schema.ts'

export function listToolsForAgent(app: App, context: Context): void {
  app.get(
    '/v1/agents/:agent_id/tools',
    {
      config: { permission: 'agents:read' },
      schema: {
        operationId: 'list_tools_for_agent',
        tags: ['agents'],
        summary: "List an agent's tools",
        params: AgentId,
        querystring: Type.Object(pagingParameters({ limit: 10 })),
        response: { 200: Type.Array(ToolSchema) },
      },
    },
    async ({ actor, params, query }) => {
      await requireAgent(context.db, actor.organizationId, params.agent_id)
      const page = toPageRequest(query)
      const rows = await listToolsOfAgent(context.db, actor.organizationId, params.agent_id, page)
      return rows.map(presentTool)
    },
  )
}
