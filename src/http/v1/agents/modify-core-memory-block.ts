import Type from 'typebox'
import { refreshAgentPrompt } from '#agent/refresh-agent-prompt.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { BlockSchema, UpdateBlockSchema } from '#http/v1/blocks/block-schema.ts'
import { presentBlock } from '#http/v1/blocks/present-block.ts'
import { modifyBlock } from '#memory/modify-block.ts'
import { getBlockOfAgent } from '#store/agents/agent-block-reader.ts'
import { AgentId } from './agent-schema.ts'

const Params = Type.Object({ ...AgentId.properties, block_label: Type.String({ minLength: 1 }) })

export function modifyCoreMemoryBlock(app: App, context: Context): void {
  app.patch(
    '/v1/agents/:agent_id/core-memory/blocks/:block_label',
    {
      config: { permission: 'agents:write' },
      schema: {
        operationId: 'modify_core_memory_block',
        tags: ['agents'],
        summary: "Change an agent's block by its label; the label can change too",
        params: Params,
        body: UpdateBlockSchema,
        response: { 200: BlockSchema },
      },
    },
    async ({ actor, params, body }) => {
      const { organizationId, userId } = actor
      const block = await getBlockOfAgent(context.db, organizationId, params.agent_id, params.block_label)
      const modified = await modifyBlock(context.db, organizationId, block.id, body, { type: 'user', userId })
      await refreshAgentPrompt(context.db, context.models, organizationId, params.agent_id)
      return presentBlock(modified)
    },
  )
}
