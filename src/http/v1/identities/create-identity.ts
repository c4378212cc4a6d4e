import * as domain from '#agent/identities/create-identity.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { ProjectHeaders } from '#http/plugins/project.ts'
import { CreateIdentitySchema, IdentitySchema } from './identity-schema.ts'
import { presentIdentity } from './present-identity.ts'

export function createIdentity(app: App, context: Context): void {
  app.post(
    '/v1/identities',
    {
      config: { permission: 'identities:write' },
      schema: {
        operationId: 'create_identity',
        tags: ['identities'],
        summary: 'Create an identity, with the agents and blocks that it is attached to',
        headers: ProjectHeaders,
        body: CreateIdentitySchema,
        response: { 200: IdentitySchema },
      },
    },
    async ({ actor, body }) => presentIdentity(await domain.createIdentity(context.db, actor, body)),
  )
}
