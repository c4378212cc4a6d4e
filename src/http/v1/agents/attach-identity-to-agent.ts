import Type from 'typebox'
import { attachIdentity } from '#agent/identities/attach-identity.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { NullBody, sendNull } from '#http/wire/send-null.ts'
import { AgentId } from './agent-schema.ts'

const Params = Type.Object({ ...AgentId.properties, identity_id: Type.String({ minLength: 1 }) })

export function attachIdentityToAgent(app: App, context: Context): void {
  app.patch(
    '/v1/agents/:agent_id/identities/attach/:identity_id',
    {
      config: { permission: 'agents:write' },
      schema: {
        operationId: 'attach_identity_to_agent',
        tags: ['agents'],
        summary: 'Attach an identity to an agent; nothing happens where it is attached',
        params: Params,
        response: { 200: NullBody },
      },
    },
    async ({ actor, params }, reply) => {
      const place = { target: 'agent', targetId: params.agent_id, identityId: params.identity_id } as const
      await attachIdentity(context.db, actor.organizationId, place)
      return sendNull(reply)
    },
  )
}
