import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { BlockId, BlockSchema } from './block-schema.ts'
import { getBlock } from './get-block.ts'
import { presentBlock } from './present-block.ts'

export function retrieveBlock(app: App, context: Context): void {
  app.get(
    '/v1/blocks/:block_id',
    {
      config: { permission: 'blocks:read' },
      schema: {
        operationId: 'retrieve_block',
        tags: ['blocks'],
        summary: 'Retrieve a block',
        params: BlockId,
        response: { 200: BlockSchema },
      },
    },
    async ({ actor, params }) => presentBlock(await getBlock(context.db, actor.organizationId, params.block_id)),
  )
}
