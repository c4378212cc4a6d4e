import Type from 'typebox'
import { attachBlock } from '#agent/attach-block.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { AgentId, AgentSchema } from './agent-schema.ts'
import { readAgent } from './read-agent.ts'

const Params = Type.Object({ ...AgentId.properties, block_id: IdSchema('block') })

export function attachCoreMemoryBlock(app: App, context: Context): void {
  app.patch(
    '/v1/agents/:agent_id/core-memory/blocks/attach/:block_id',
    {
      config: { permission: 'agents:write' },
      schema: {
        operationId: 'attach_core_memory_block',
        tags: ['agents'],
        summary: 'Attach a block to an agent',
        params: Params,
        response: { 200: AgentSchema },
      },
    },
    async ({ actor, params }) => {
      await attachBlock(context.db, actor.organizationId, params.agent_id, params.block_id)
      return readAgent(context, actor.organizationId, params.agent_id)
    },
  )
}
