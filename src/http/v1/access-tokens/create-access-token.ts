import Type from 'typebox'
import * as domain from '#agent/access-tokens/create-access-token.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { parseMoment } from '#http/wire/moment.ts'
import { Nullable } from '#http/wire/nullable.ts'
import { AccessTokenSchema, PolicyEntrySchema, presentAccessToken } from './access-token-schema.ts'

const Body = Type.Object({
  policy: Type.Array(PolicyEntrySchema, { minItems: 1, maxItems: 100 }),
  hostname: Type.String({ pattern: '^https?://', maxLength: 500, description: 'Whose pages may use it: an address' }),
  expires_at: Type.Optional(Nullable(Type.String({ description: 'In five minutes unless told' }))),
})

export function createAccessToken(app: App, context: Context): void {
  app.post(
    '/v1/client-side-access-tokens',
    {
      // an answer that is kept for a key would keep the token too
      config: { permission: 'access-tokens:write', idempotency: 'none' },
      schema: {
        operationId: 'create_client_side_access_token',
        tags: ['client-side-access-tokens'],
        summary: 'Make a token with which a web page may work with some agents; it is shown once',
        body: Body,
        response: { 201: AccessTokenSchema },
      },
    },
    async ({ actor, body }, reply) => {
      const { policy, hostname } = body
      const expiresAt = parseMoment('expires_at', body.expires_at)
      const row = await domain.createAccessToken(context.db, actor, { policy, hostname, expiresAt })
      return reply.code(201).send(presentAccessToken(row, row.token))
    },
  )
}
