import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import * as memory from '#memory/modify-block.ts'
import { BlockId, BlockSchema, UpdateBlockSchema } from './block-schema.ts'
import { presentBlock } from './present-block.ts'

export function modifyBlock(app: App, context: Context): void {
  app.patch(
    '/v1/blocks/:block_id',
    {
      config: { permission: 'blocks:write' },
      schema: {
        operationId: 'modify_block',
        tags: ['blocks'],
        summary: 'Change a block; agents that have it see the change at their next turn',
        params: BlockId,
        body: UpdateBlockSchema,
        response: { 200: BlockSchema },
      },
    },
    async ({ actor, params, body }) => {
      const author = { type: 'user', userId: actor.userId } as const
      return presentBlock(await memory.modifyBlock(context.db, actor.organizationId, params.block_id, body, author))
    },
  )
}
