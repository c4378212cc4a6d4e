import Type from 'typebox'
import { MAX_PAGE_LIMIT } from '#http/wire/paging.ts'
import { listBlocksOfAgent } from '#store/agents/agent-block-reader.ts'
import { requireAgent } from '#store/agents/require-agent.ts'
import { AgentIdField, mcpTool } from './mcp-tool.ts'

export const listBlocks = mcpTool({
  name: 'list_blocks',
  title: 'List memory blocks',
  description: 'List the memory blocks that an agent has always in view, without their values.',
  permissions: ['agents:read'],
  isReadOnly: true,
  input: Type.Object({ agent_id: AgentIdField }),
  async call({ context, actor, args }) {
    await requireAgent(context.db, actor.organizationId, args.agent_id)
    const page = { limit: MAX_PAGE_LIMIT, order: 'asc', before: undefined, after: undefined } as const
    const blocks = await listBlocksOfAgent(context.db, actor.organizationId, args.agent_id, page)
    return blocks.map(({ id, label, description, value, char_limit, read_only }) => ({
      id,
      label,
      description,
      characters: value.length,
      limit: char_limit,
      read_only,
    }))
  },
})
