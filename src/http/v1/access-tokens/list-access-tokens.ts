import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { offsetParameters, toOffsetPage } from '#http/wire/offset-paging.ts'
import * as store from '#store/access-tokens/access-token-writer.ts'
import { AccessTokenSchema, presentAccessToken } from './access-token-schema.ts'

export function listAccessTokens(app: App, context: Context): void {
  app.get(
    '/v1/client-side-access-tokens',
    {
      config: { permission: 'access-tokens:read' },
      schema: {
        operationId: 'list_client_side_access_tokens',
        tags: ['client-side-access-tokens'],
        summary: 'List the tokens of web pages that have not expired, newest first; each by its id, not by itself',
        querystring: Type.Object({ ...offsetParameters(10), agentId: Type.Optional(Type.String()) }),
        response: { 200: Type.Object({ tokens: Type.Array(AccessTokenSchema), hasNextPage: Type.Boolean() }) },
      },
    },
    async ({ actor, query }) => {
      const { limit, offset } = toOffsetPage(query)
      const page = { agentId: query.agentId, limit: limit + 1, offset }
      const rows = await store.listAccessTokens(context.db, actor.organizationId, page)
      const tokens = rows.slice(0, limit).map((row) => presentAccessToken(row))
      return { tokens, hasNextPage: rows.length > limit }
    },
  )
}
