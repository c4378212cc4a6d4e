import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { GroupSchema } from '#http/v1/groups/group-schema.ts'
import { presentGroup } from '#http/v1/groups/present-group.ts'
import { pagingParameters, toPageRequest } from '#http/wire/paging.ts'
import { requireAgent } from '#store/agents/require-agent.ts'
import { listGroups } from '#store/groups/group-reader.ts'
import { AgentId } from './agent-schema.ts'

export function listGroupsForAgent(app: App, context: Context): void {
  app.get(
    '/v1/agents/:agent_id/groups',
    {
      config: { permission: 'agents:read' },
      schema: {
        operationId: 'list_groups_for_agent',
        tags: ['agents'],
        summary: 'List the groups that an agent is in, or manages',
        params: AgentId,
        querystring: Type.Object({ ...pagingParameters({ limit: 100 }), manager_type: Type.Optional(Type.String()) }),
        response: { 200: Type.Array(GroupSchema) },
      },
    },
    async ({ actor, params, query }) => {
      await requireAgent(context.db, actor.organizationId, params.agent_id)
      const filter = { agentId: params.agent_id, managerType: query.manager_type, includesHidden: true }
      const rows = await listGroups(context.db, actor.organizationId, filter, toPageRequest(query))
      return rows.map(presentGroup)
    },
  )
}
