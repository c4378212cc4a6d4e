import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { BlockSchema } from '#http/v1/blocks/block-schema.ts'
import { presentBlock } from '#http/v1/blocks/present-block.ts'
import { getBlockOfAgent } from '#store/agents/agent-block-reader.ts'
import { AgentId } from './agent-schema.ts'

const Params = Type.Object({ ...AgentId.properties, block_label: Type.String({ minLength: 1 }) })

export function retrieveCoreMemoryBlock(app: App, context: Context): void {
  app.get(
    '/v1/agents/:agent_id/core-memory/blocks/:block_label',
    {
      config: { permission: 'agents:read' },
      schema: {
        operationId: 'retrieve_core_memory_block',
        tags: ['agents'],
        summary: "Retrieve an agent's block by its label",
        params: Params,
        response: { 200: BlockSchema },
      },
    },
    async ({ actor, params }) =>
      presentBlock(await getBlockOfAgent(context.db, actor.organizationId, params.agent_id, params.block_label)),
  )
}
