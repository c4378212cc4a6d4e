import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { AgentSchema, includeParameters } from '#http/v1/agents/agent-schema.ts'
import { presentAgent } from '#http/v1/agents/present-agent.ts'
import { catalogOf } from '#http/v1/agents/read-agent.ts'
import { toAgentInclude } from '#http/v1/agents/to-agent-include.ts'
import { pagingParameters, toPageRequest } from '#http/wire/paging.ts'
import { listAgents } from '#store/agents/agent-reader.ts'
import { BlockId } from './block-schema.ts'
import { getBlock } from './get-block.ts'

export function listAgentsForBlock(app: App, context: Context): void {
  app.get(
    '/v1/blocks/:block_id/agents',
    {
      config: { permission: 'blocks:read' },
      schema: {
        operationId: 'list_agents_for_block',
        tags: ['blocks'],
        summary: 'List the agents that have a block, newest first unless asked otherwise',
        params: BlockId,
        querystring: Type.Object({ ...pagingParameters(), ...includeParameters }),
        response: { 200: Type.Array(AgentSchema) },
      },
    },
    async ({ actor, params, query }) => {
      await getBlock(context.db, actor.organizationId, params.block_id)
      const filter = { blockId: params.block_id, includesHidden: true }
      const page = { ...toPageRequest(query), orderBy: 'created_at' as const }
      const agents = await listAgents(context.db, actor.organizationId, filter, page, toAgentInclude(query))
      const catalog = await catalogOf(context, actor.organizationId)
      return agents.map((agent) => presentAgent(agent, catalog))
    },
  )
}
