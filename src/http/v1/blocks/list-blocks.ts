import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { pagingParameters, toPageRequest } from '#http/wire/paging.ts'
import * as reader from '#store/blocks/block-reader.ts'
import { BlockSchema, blockFilterParameters } from './block-schema.ts'
import { presentBlock } from './present-block.ts'
import { toBlockFilter } from './to-block-filter.ts'

export function listBlocks(app: App, context: Context): void {
  app.get(
    '/v1/blocks',
    {
      config: { permission: 'blocks:read' },
      schema: {
        operationId: 'list_blocks',
        tags: ['blocks'],
        summary: 'List blocks, oldest first unless asked otherwise',
        querystring: Type.Object({ ...pagingParameters({ order: 'asc' }), ...blockFilterParameters }),
        response: { 200: Type.Array(BlockSchema) },
      },
    },
    async ({ actor, query }) => {
      const filter = toBlockFilter(query)
      const rows = await reader.listBlocks(context.db, actor.organizationId, filter, toPageRequest(query))
      return rows.map(presentBlock)
    },
  )
}
