import Type from 'typebox'
import { detachIdentity } from '#agent/identities/attach-identity.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { BlockId, BlockSchema } from './block-schema.ts'
import { getBlock } from './get-block.ts'
import { presentBlock } from './present-block.ts'

const Params = Type.Object({ ...BlockId.properties, identity_id: Type.String({ minLength: 1 }) })

export function detachIdentityFromBlock(app: App, context: Context): void {
  app.patch(
    '/v1/blocks/:block_id/identities/detach/:identity_id',
    {
      config: { permission: 'blocks:write' },
      schema: {
        operationId: 'detach_identity_from_block',
        tags: ['blocks'],
        summary: 'Detach an identity from a block; nothing happens where it is not attached',
        params: Params,
        response: { 200: BlockSchema },
      },
    },
    async ({ actor, params }) => {
      const place = { target: 'block', targetId: params.block_id, identityId: params.identity_id } as const
      await detachIdentity(context.db, actor.organizationId, place)
      return presentBlock(await getBlock(context.db, actor.organizationId, params.block_id))
    },
  )
}
