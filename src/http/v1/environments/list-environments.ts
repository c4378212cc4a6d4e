import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { StringEnum } from '#http/wire/nullable.ts'
import { listEnvironments as listRows } from '#store/environments/environment-store.ts'
import { EnvironmentSchema, presentEnvironment } from './environment-schema.ts'

const MAX_LIMIT = 1000

export function listEnvironments(app: App, context: Context): void {
  app.get(
    '/v1/environments',
    {
      config: { permission: 'environments:read' },
      schema: {
        operationId: 'list_environments',
        tags: ['environments'],
        summary: 'List environments, newest first; none of them is online',
        querystring: Type.Object({
          limit: Type.Integer({ minimum: 1, default: 50 }),
          after: Type.Optional(Type.String({ description: 'Id: environments after this one' })),
          userId: Type.Optional(Type.String()),
          onlineOnly: Type.Boolean({ default: false }),
          source: Type.Optional(StringEnum(['local', 'remote'])),
        }),
        response: { 200: Type.Object({ connections: Type.Array(EnvironmentSchema), hasNextPage: Type.Boolean() }) },
      },
    },
    async ({ actor, query }) => {
      // nothing can be connected to this server, and all it knows of is local
      if (query.onlineOnly || query.source === 'remote') return { connections: [], hasNextPage: false }
      const limit = Math.min(query.limit, MAX_LIMIT)
      const { organizationId } = actor
      const page = { after: query.after || undefined, userId: query.userId || undefined, limit: limit + 1 }
      const rows = await listRows(context.db, organizationId, page)
      const connections = rows.slice(0, limit).map((row) => presentEnvironment(row, organizationId))
      return { connections, hasNextPage: rows.length > limit }
    },
  )
}
