import { modifyIdentity } from '#agent/identities/modify-identity.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { IdentityId, IdentitySchema, UpdateIdentitySchema } from './identity-schema.ts'
import { presentIdentity } from './present-identity.ts'

export function updateIdentity(app: App, context: Context): void {
  app.patch(
    '/v1/identities/:identity_id',
    {
      config: { permission: 'identities:write' },
      schema: {
        operationId: 'update_identity',
        tags: ['identities'],
        summary: 'Change an identity: agents, blocks and properties that are given are added, null takes them all away',
        params: IdentityId,
        body: UpdateIdentitySchema,
        response: { 200: IdentitySchema },
      },
    },
    async ({ actor, params, body }) =>
      presentIdentity(await modifyIdentity(context.db, actor, params.identity_id, body)),
  )
}
