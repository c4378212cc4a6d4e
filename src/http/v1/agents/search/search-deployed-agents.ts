import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { AgentSchema } from '#http/v1/agents/agent-schema.ts'
import { presentAgent } from '#http/v1/agents/present-agent.ts'
import { catalogOf } from '#http/v1/agents/read-agent.ts'
import { Nullable, StringEnum } from '#http/wire/nullable.ts'
import { MAX_PAGE_LIMIT } from '#http/wire/paging.ts'
import { ALL_RELATIONS, listAgents } from '#store/agents/agent-reader.ts'
import { Combinator, Conditions } from './search-schema.ts'
import { toSearchFilter } from './to-search-filter.ts'

const Body = Type.Object({
  search: Type.Optional(Conditions),
  project_id: Type.Optional(Type.String()),
  combinator: Type.Optional(Combinator),
  limit: Type.Integer({ minimum: 1, default: 50, description: `${MAX_PAGE_LIMIT} at most are given` }),
  after: Type.Optional(Nullable(Type.String({ description: 'nextCursor of the page before' }))),
  sortBy: StringEnum(['created_at', 'last_run_completion', 'updated_at'], { default: 'created_at' }),
  ascending: Type.Boolean({ default: false }),
})

const Found = Type.Object({ agents: Type.Array(AgentSchema), nextCursor: Nullable(Type.String()) })

export function searchDeployedAgents(app: App, context: Context): void {
  app.post(
    '/v1/agents/search',
    {
      config: { permission: 'agents:read', idempotency: 'none' },
      schema: {
        operationId: 'agents.searchDeployedAgents',
        tags: ['agents'],
        summary: 'Search agents by several conditions, newest first unless asked otherwise',
        body: Body,
        response: { 200: Found },
      },
    },
    async ({ actor, body }) => {
      const filter = toSearchFilter(body.search ?? [], body.project_id)
      if (filter === undefined) return { agents: [], nextCursor: null }
      const page = {
        limit: Math.min(body.limit, MAX_PAGE_LIMIT),
        order: body.ascending ? ('asc' as const) : ('desc' as const),
        orderBy: body.sortBy,
        after: body.after || undefined,
      }
      const agents = await listAgents(context.db, actor.organizationId, filter, page, ALL_RELATIONS)
      const catalog = await catalogOf(context, actor.organizationId)
      const last = agents.length === page.limit ? agents.at(-1) : undefined
      return { agents: agents.map((agent) => presentAgent(agent, catalog)), nextCursor: last?.id ?? null }
    },
  )
}
