import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { AgentSchema, includeParameters } from '#http/v1/agents/agent-schema.ts'
import { presentAgent } from '#http/v1/agents/present-agent.ts'
import { catalogOf } from '#http/v1/agents/read-agent.ts'
import { toAgentInclude } from '#http/v1/agents/to-agent-include.ts'
import { pagingParameters, toPageRequest } from '#http/wire/paging.ts'
import { listAgents } from '#store/agents/agent-reader.ts'
import { requireIdentities } from '#store/identities/identity-reader.ts'
import { IdentityId } from './identity-schema.ts'

export function listAgentsForIdentity(app: App, context: Context): void {
  app.get(
    '/v1/identities/:identity_id/agents',
    {
      config: { permission: 'identities:read' },
      schema: {
        operationId: 'list_agents_for_identity',
        tags: ['identities'],
        summary: 'List the agents that an identity is attached to, newest first unless asked otherwise',
        params: IdentityId,
        querystring: Type.Object({ ...pagingParameters(), ...includeParameters }),
        response: { 200: Type.Array(AgentSchema) },
      },
    },
    async ({ actor, params, query }) => {
      const { organizationId } = actor
      await requireIdentities(context.db, organizationId, [params.identity_id])
      const filter = { identityId: params.identity_id, includesHidden: true }
      const page = { ...toPageRequest(query), orderBy: 'created_at' as const }
      const agents = await listAgents(context.db, organizationId, filter, page, toAgentInclude(query))
      const catalog = await catalogOf(context, actor.organizationId)
      return agents.map((agent) => presentAgent(agent, catalog))
    },
  )
}
