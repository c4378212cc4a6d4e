import Type from 'typebox'
import { presentTime } from '#http/wire/nullable.ts'
import * as reader from '#store/agents/agent-reader.ts'
import { limitField, mcpTool } from './mcp-tool.ts'

const DEFAULT_LIMIT = 20

export const listAgents = mcpTool({
  name: 'list_agents',
  title: 'List agents',
  description: 'List the agents of this server, newest first, with their ids. Give part of a name to look for one.',
  permissions: ['agents:read'],
  isReadOnly: true,
  input: Type.Object({
    query: Type.Optional(Type.String({ description: 'Part of the name, in any case' })),
    limit: limitField(100, DEFAULT_LIMIT),
  }),
  async call({ context, actor, args }) {
    const filter = { queryText: args.query || undefined, includesHidden: false }
    const limit = args.limit ?? DEFAULT_LIMIT
    const page = { limit, order: 'desc', orderBy: 'created_at', before: undefined, after: undefined } as const
    const agents = await reader.listAgents(context.db, actor.organizationId, filter, page, { tags: true })
    return agents.map(({ id, name, description, model, tags, created_at }) => ({
      id,
      name,
      description,
      model,
      tags,
      created_at: presentTime(created_at),
    }))
  },
})
