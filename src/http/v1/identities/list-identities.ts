import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { pagingParameters, toPageRequest } from '#http/wire/paging.ts'
import * as reader from '#store/identities/identity-reader.ts'
import { IdentitySchema, IdentityTypeSchema } from './identity-schema.ts'
import { presentIdentity } from './present-identity.ts'

export function listIdentities(app: App, context: Context): void {
  app.get(
    '/v1/identities',
    {
      config: { permission: 'identities:read' },
      schema: {
        operationId: 'list_identities',
        tags: ['identities'],
        summary: 'List identities, newest first unless asked otherwise',
        querystring: Type.Object({
          ...pagingParameters(),
          name: Type.Optional(Type.String({ description: 'Part of the name, in any case' })),
          project_id: Type.Optional(Type.String()),
          identifier_key: Type.Optional(Type.String()),
          identity_type: Type.Optional(IdentityTypeSchema),
        }),
        response: { 200: Type.Array(IdentitySchema) },
      },
    },
    async ({ actor, query }) => {
      const filter = {
        name: query.name || undefined,
        projectId: query.project_id,
        identifierKey: query.identifier_key,
        identityType: query.identity_type,
      }
      const rows = await reader.listIdentities(context.db, actor.organizationId, filter, toPageRequest(query))
      return rows.map(presentIdentity)
    },
  )
}
