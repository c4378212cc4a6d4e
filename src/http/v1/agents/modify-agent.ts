import Type from 'typebox'
import * as domain from '#agent/modify-agent.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { Nullable } from '#http/wire/nullable.ts'
import { AgentId, AgentSchema, agentFields } from './agent-schema.ts'
import { readAgent } from './read-agent.ts'
import { refuseUnavailable } from './refuse-unavailable.ts'
import { withoutLegacyFields } from './to-agent-input.ts'

const Body = Type.Object({
  ...agentFields,
  message_ids: Type.Optional(
    Nullable(
      Type.Array(IdSchema('message'), {
        maxItems: 10_000,
        description:
          'Lets the context begin later or earlier: the system message, then all from one message to the newest',
      }),
    ),
  ),
})

export function modifyAgent(app: App, context: Context): void {
  app.patch(
    '/v1/agents/:agent_id',
    {
      config: { permission: 'agents:write' },
      schema: {
        operationId: 'modify_agent',
        tags: ['agents'],
        summary: 'Change an agent: what is left out stays, null clears, lists replace',
        params: AgentId,
        body: Body,
        response: { 200: AgentSchema },
      },
    },
    async ({ actor, params, body }) => {
      refuseUnavailable(body)
      const { db, models, secrets, config } = context
      const deps = { db, models, secrets, maxContextWindow: config.globalMaxContextWindow }
      await domain.modifyAgent(deps, actor, params.agent_id, withoutLegacyFields(body))
      return readAgent(context, actor.organizationId, params.agent_id)
    },
  )
}
