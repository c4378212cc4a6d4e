import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { toVersionPage, versionPaging } from '#http/wire/versions.ts'
import * as reader from '#store/blocks/block-version-reader.ts'
import { BlockId } from './block-schema.ts'
import { BlockVersionSchema } from './block-version-schema.ts'
import { getBlock } from './get-block.ts'
import { presentBlockVersion } from './present-block-version.ts'

export function listBlockVersions(app: App, context: Context): void {
  app.get(
    '/v1/blocks/:block_id/versions',
    {
      config: { permission: 'blocks:read' },
      schema: {
        operationId: 'list_block_versions',
        tags: ['blocks'],
        summary: 'List the versions of a block with their authors, newest first unless asked otherwise',
        params: BlockId,
        querystring: Type.Object(versionPaging),
        response: { 200: Type.Array(BlockVersionSchema) },
      },
    },
    async ({ actor, params, query }) => {
      const { block_id: blockId } = params
      await getBlock(context.db, actor.organizationId, blockId)
      const rows = await reader.listBlockVersions(context.db, actor.organizationId, blockId, toVersionPage(query))
      return rows.map(presentBlockVersion)
    },
  )
}
