import Type from 'typebox'
import { presentTime } from '#http/wire/nullable.ts'
import { searchMessages } from '#memory/search-messages.ts'
import { searchPassages } from '#memory/search-passages.ts'
import { requireAgent } from '#store/agents/require-agent.ts'
import { AgentIdField, limitField, mcpTool } from './mcp-tool.ts'

const DEFAULT_LIMIT = 10
const ROLES = ['user', 'assistant']

export const searchMemory = mcpTool({
  name: 'search_memory',
  title: 'Search memory',
  description:
    'Search what an agent remembers: the passages of its archival memory, and everything that was said in its conversations. The best come first.',
  permissions: ['agents:read', 'messages:read'],
  isReadOnly: true,
  input: Type.Object({
    agent_id: AgentIdField,
    query: Type.String({ minLength: 1, description: 'Words; "quoted" ones stand together, -word must not occur' }),
    limit: limitField(50, DEFAULT_LIMIT),
  }),
  async call({ context, actor: { organizationId }, args }) {
    const { agent_id: agentId, query, limit = DEFAULT_LIMIT } = args
    await requireAgent(context.db, organizationId, agentId)
    const search = { organizationId, agentId, query, limit, start: undefined, end: undefined }
    const passages = await searchPassages(context, search)
    const messages = await searchMessages(context, { ...search, roles: ROLES })
    return {
      passages: passages.map(({ id, text, tags, created_at }) => ({
        id,
        text,
        tags,
        created_at: presentTime(created_at),
      })),
      messages: messages.map(({ id, role, text, created_at }) => ({
        id,
        role,
        text,
        created_at: presentTime(created_at),
      })),
    }
  },
})
