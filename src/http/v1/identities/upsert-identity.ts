import * as domain from '#agent/identities/create-identity.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { ProjectHeaders } from '#http/plugins/project.ts'
import { CreateIdentitySchema, IdentitySchema } from './identity-schema.ts'
import { presentIdentity } from './present-identity.ts'

export function upsertIdentity(app: App, context: Context): void {
  app.put(
    '/v1/identities',
    {
      config: { permission: 'identities:write' },
      schema: {
        operationId: 'upsert_identity',
        tags: ['identities'],
        summary:
          'Create the identity of a key, or change the one there is: agents, blocks and properties that are given replace',
        headers: ProjectHeaders,
        body: CreateIdentitySchema,
        response: { 200: IdentitySchema },
      },
    },
    async ({ actor, body }) => presentIdentity(await domain.upsertIdentity(context.db, actor, body)),
  )
}
