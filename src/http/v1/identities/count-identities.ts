import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import * as reader from '#store/identities/identity-reader.ts'

export function countIdentities(app: App, context: Context): void {
  app.get(
    '/v1/identities/count',
    {
      config: { permission: 'identities:read' },
      schema: {
        operationId: 'count_identities',
        tags: ['identities'],
        summary: 'Count all identities',
        response: { 200: Type.Integer() },
      },
    },
    ({ actor }) => reader.countIdentities(context.db, actor.organizationId),
  )
}
