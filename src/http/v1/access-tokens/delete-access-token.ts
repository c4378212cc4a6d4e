import Type from 'typebox'
import { removeAccessToken } from '#agent/access-tokens/create-access-token.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'

export function deleteAccessToken(app: App, context: Context): void {
  app.delete(
    '/v1/client-side-access-tokens/:token',
    {
      config: { permission: 'access-tokens:write' },
      schema: {
        operationId: 'delete_client_side_access_token',
        tags: ['client-side-access-tokens'],
        summary: 'Delete a token of a web page, named by itself or by its id',
        params: Type.Object({ token: Type.String({ minLength: 1 }) }),
        response: { 204: Type.Null() },
      },
    },
    async ({ actor, params }, reply) => {
      await removeAccessToken(context.db, actor.organizationId, params.token)
      return reply.code(204).send(null)
    },
  )
}
