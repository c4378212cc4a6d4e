import Type from 'typebox'
import { getBlockOfAgent } from '#store/agents/agent-block-reader.ts'
import { AgentIdField, BlockLabelField, mcpTool } from './mcp-tool.ts'

export const readBlock = mcpTool({
  name: 'read_block',
  title: 'Read a memory block',
  description: 'Read the whole value of one memory block of an agent.',
  permissions: ['agents:read'],
  isReadOnly: true,
  input: Type.Object({ agent_id: AgentIdField, label: BlockLabelField }),
  async call({ context, actor, args }) {
    const block = await getBlockOfAgent(context.db, actor.organizationId, args.agent_id, args.label)
    const { id, label, description, value, char_limit: limit, read_only } = block
    return { id, label, description, value, limit, read_only }
  },
})
