import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { NullBody, sendNull } from '#http/wire/send-null.ts'
import { removeBlock } from '#memory/remove-block.ts'
import { BlockId } from './block-schema.ts'

export function deleteBlock(app: App, context: Context): void {
  app.delete(
    '/v1/blocks/:block_id',
    {
      config: { permission: 'blocks:write' },
      schema: {
        operationId: 'delete_block',
        tags: ['blocks'],
        summary: 'Delete a block, its history, and its place in every agent',
        params: BlockId,
        response: { 200: NullBody },
      },
    },
    async ({ actor, params }, reply) => {
      await removeBlock(context.db, actor.organizationId, params.block_id)
      return sendNull(reply)
    },
  )
}
