import Type from 'typebox'
import { detachBlock } from '#agent/attach-block.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { AgentId, AgentSchema } from './agent-schema.ts'
import { readAgent } from './read-agent.ts'

const Params = Type.Object({ ...AgentId.properties, block_id: IdSchema('block') })

export function detachCoreMemoryBlock(app: App, context: Context): void {
  app.patch(
    '/v1/agents/:agent_id/core-memory/blocks/detach/:block_id',
    {
      config: { permission: 'agents:write' },
      schema: {
        operationId: 'detach_core_memory_block',
        tags: ['agents'],
        summary: 'Detach a block from an agent',
        params: Params,
        response: { 200: AgentSchema },
      },
    },
    async ({ actor, params }) => {
      await detachBlock(context.db, actor.organizationId, params.agent_id, params.block_id)
      return readAgent(context, actor.organizationId, params.agent_id)
    },
  )
}
