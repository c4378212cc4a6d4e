import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { BlockSchema } from '#http/v1/blocks/block-schema.ts'
import { presentBlock } from '#http/v1/blocks/present-block.ts'
import { pagingParameters, toPageRequest } from '#http/wire/paging.ts'
import { listBlocksOfAgent } from '#store/agents/agent-block-reader.ts'
import { requireAgent } from '#store/agents/require-agent.ts'
import { AgentId } from './agent-schema.ts'

export function listCoreMemoryBlocks(app: App, context: Context): void {
  app.get(
    '/v1/agents/:agent_id/core-memory/blocks',
    {
      config: { permission: 'agents:read' },
      schema: {
        operationId: 'list_core_memory_blocks',
        tags: ['agents'],
        summary: "List an agent's blocks",
        params: AgentId,
        querystring: Type.Object(pagingParameters({ limit: 100 })),
        response: { 200: Type.Array(BlockSchema) },
      },
    },
    async ({ actor, params, query }) => {
      await requireAgent(context.db, actor.organizationId, params.agent_id)
      const page = toPageRequest(query)
      const rows = await listBlocksOfAgent(context.db, actor.organizationId, params.agent_id, page)
      return rows.map(presentBlock)
    },
  )
}
