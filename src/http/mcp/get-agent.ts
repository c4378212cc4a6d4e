import Type from 'typebox'
import { presentTime } from '#http/wire/nullable.ts'
import { getAgent as readAgent } from '#store/agents/agent-reader.ts'
import { AgentIdField, mcpTool } from './mcp-tool.ts'

export const getAgent = mcpTool({
  name: 'get_agent',
  title: 'Get an agent',
  description: 'Show one agent: its model, instructions, memory blocks and tools.',
  permissions: ['agents:read'],
  isReadOnly: true,
  input: Type.Object({ agent_id: AgentIdField }),
  async call({ context, actor, args }) {
    const include = { blocks: true, tools: true, tags: true, folders: true }
    const agent = await readAgent(context.db, actor.organizationId, args.agent_id, include)
    return {
      id: agent.id,
      name: agent.name,
      description: agent.description,
      agent_type: agent.agent_type,
      model: agent.model,
      timezone: agent.timezone,
      tags: agent.tags,
      system: agent.system,
      blocks: agent.blocks.map(({ label, description, value }) => ({ label, description, characters: value.length })),
      tools: agent.tools.map(({ name }) => name),
      folders: agent.folders.map(({ name }) => name),
      created_at: presentTime(agent.created_at),
    }
  },
})
