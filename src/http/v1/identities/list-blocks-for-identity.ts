import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { BlockSchema } from '#http/v1/blocks/block-schema.ts'
import { presentBlock } from '#http/v1/blocks/present-block.ts'
import { pagingParameters, toPageRequest } from '#http/wire/paging.ts'
import { listBlocks } from '#store/blocks/block-reader.ts'
import { requireIdentities } from '#store/identities/identity-reader.ts'
import { IdentityId } from './identity-schema.ts'

export function listBlocksForIdentity(app: App, context: Context): void {
  app.get(
    '/v1/identities/:identity_id/blocks',
    {
      config: { permission: 'identities:read' },
      schema: {
        operationId: 'list_blocks_for_identity',
        tags: ['identities'],
        summary: 'List the blocks that an identity is attached to, newest first unless asked otherwise',
        params: IdentityId,
        querystring: Type.Object(pagingParameters()),
        response: { 200: Type.Array(BlockSchema) },
      },
    },
    async ({ actor, params, query }) => {
      const { organizationId } = actor
      await requireIdentities(context.db, organizationId, [params.identity_id])
      const filter = { identityId: params.identity_id, includesHidden: true }
      const rows = await listBlocks(context.db, organizationId, filter, toPageRequest(query))
      return rows.map(presentBlock)
    },
  )
}
