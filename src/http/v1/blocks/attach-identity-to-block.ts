import Type from 'typebox'
import { attachIdentity } from '#agent/identities/attach-identity.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { BlockId, BlockSchema } from './block-schema.ts'
import { getBlock } from './get-block.ts'
import { presentBlock } from './present-block.ts'

const Params = Type.Object({ ...BlockId.properties, identity_id: Type.String({ minLength: 1 }) })

export function attachIdentityToBlock(app: App, context: Context): void {
  app.patch(
    '/v1/blocks/:block_id/identities/attach/:identity_id',
    {
      config: { permission: 'blocks:write' },
      schema: {
        operationId: 'attach_identity_to_block',
        tags: ['blocks'],
        summary: 'Attach an identity to a block; nothing happens where it is attached',
        params: Params,
        response: { 200: BlockSchema },
      },
    },
    async ({ actor, params }) => {
      const place = { target: 'block', targetId: params.block_id, identityId: params.identity_id } as const
      await attachIdentity(context.db, actor.organizationId, place)
      return presentBlock(await getBlock(context.db, actor.organizationId, params.block_id))
    },
  )
}
