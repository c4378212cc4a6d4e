import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import * as reader from '#store/blocks/block-reader.ts'
import { blockFilterParameters } from './block-schema.ts'
import { toBlockFilter } from './to-block-filter.ts'

export function countBlocks(app: App, context: Context): void {
  app.get(
    '/v1/blocks/count',
    {
      config: { permission: 'blocks:read' },
      schema: {
        operationId: 'count_blocks',
        tags: ['blocks'],
        summary: 'Count blocks',
        querystring: Type.Object(blockFilterParameters),
        response: { 200: Type.Integer() },
      },
    },
    ({ actor, query }) => reader.countBlocks(context.db, actor.organizationId, toBlockFilter(query)),
  )
}
