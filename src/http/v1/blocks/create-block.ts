import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import * as memory from '#memory/create-block.ts'
import { BlockSchema, CreateBlockSchema } from './block-schema.ts'
import { presentBlock } from './present-block.ts'

export function createBlock(app: App, context: Context): void {
  app.post(
    '/v1/blocks',
    {
      config: { permission: 'blocks:write' },
      schema: {
        operationId: 'create_block',
        tags: ['blocks'],
        summary: 'Create a block',
        body: CreateBlockSchema,
        response: { 200: BlockSchema },
      },
    },
    async ({ actor, body }) => {
      const author = { type: 'user', userId: actor.userId } as const
      return presentBlock(await memory.createBlock(context.db, actor.organizationId, body, author))
    },
  )
}
