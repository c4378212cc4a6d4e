import { removeIdentity } from '#agent/identities/modify-identity.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { NullBody, sendNull } from '#http/wire/send-null.ts'
import { IdentityId } from './identity-schema.ts'

export function deleteIdentity(app: App, context: Context): void {
  app.delete(
    '/v1/identities/:identity_id',
    {
      config: { permission: 'identities:write' },
      schema: {
        operationId: 'delete_identity',
        tags: ['identities'],
        summary: 'Delete an identity; its agents and blocks stay',
        params: IdentityId,
        response: { 200: NullBody },
      },
    },
    async ({ actor, params }, reply) => {
      await removeIdentity(context.db, actor.organizationId, params.identity_id)
      return sendNull(reply)
    },
  )
}
