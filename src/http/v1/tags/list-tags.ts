import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { pagingParameters, toPageRequest } from '#http/wire/paging.ts'
import * as reader from '#store/tags/tag-reader.ts'

export function listTags(app: App, context: Context): void {
  app.get(
    '/v1/tags',
    {
      config: { permission: 'tags:read' },
      schema: {
        operationId: 'list_tags',
        tags: ['tags'],
        summary: 'List the distinct tags of agents and blocks; the cursors are tags',
        querystring: Type.Object({
          ...pagingParameters({ order: 'asc', orderBy: ['name'] }),
          name: Type.Optional(Type.String({ description: 'Part of the tag, in any case' })),
          query_text: Type.Optional(Type.String({ deprecated: true, description: 'Older name of `name`' })),
        }),
        response: { 200: Type.Array(Type.String()) },
      },
    },
    async ({ actor, query }) => {
      const contains = query.name || query.query_text || undefined
      return reader.listTags(context.db, actor.organizationId, contains, toPageRequest(query))
    },
  )
}
