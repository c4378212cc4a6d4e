import Type from 'typebox'
import { setIdentityProperties } from '#agent/identities/modify-identity.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { NullBody, sendNull } from '#http/wire/send-null.ts'
import { IdentityId, PropertySchema } from './identity-schema.ts'

export function upsertPropertiesForIdentity(app: App, context: Context): void {
  app.put(
    '/v1/identities/:identity_id/properties',
    {
      config: { permission: 'identities:write' },
      schema: {
        operationId: 'upsert_properties_for_identity',
        tags: ['identities'],
        summary: 'Set properties of an identity by their keys; the others stay',
        params: IdentityId,
        body: Type.Array(PropertySchema),
        response: { 200: NullBody },
      },
    },
    async ({ actor, params, body }, reply) => {
      await setIdentityProperties(context.db, actor, params.identity_id, body)
      return sendNull(reply)
    },
  )
}
