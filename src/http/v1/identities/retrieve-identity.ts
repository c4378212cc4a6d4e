import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { getIdentity } from '#store/identities/identity-reader.ts'
import { IdentityId, IdentitySchema } from './identity-schema.ts'
import { presentIdentity } from './present-identity.ts'

export function retrieveIdentity(app: App, context: Context): void {
  app.get(
    '/v1/identities/:identity_id',
    {
      config: { permission: 'identities:read' },
      schema: {
        operationId: 'retrieve_identity',
        tags: ['identities'],
        summary: 'Retrieve an identity',
        params: IdentityId,
        response: { 200: IdentitySchema },
      },
    },
    async ({ actor, params }) =>
      presentIdentity(await getIdentity(context.db, actor.organizationId, params.identity_id)),
  )
}
