import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { getBlockVersion } from '#memory/block-versions.ts'
import { BlockVersionId, BlockVersionSchema } from './block-version-schema.ts'
import { presentBlockVersion } from './present-block-version.ts'

export function retrieveBlockVersion(app: App, context: Context): void {
  app.get(
    '/v1/blocks/:block_id/versions/:version',
    {
      config: { permission: 'blocks:read' },
      schema: {
        operationId: 'retrieve_block_version',
        tags: ['blocks'],
        summary: 'Retrieve a version of a block with its value',
        params: BlockVersionId,
        response: { 200: Type.Object({ ...BlockVersionSchema.properties, value: Type.String() }) },
      },
    },
    async ({ actor, params }) => {
      const row = await getBlockVersion(context.db, actor.organizationId, params.block_id, params.version)
      return { ...presentBlockVersion(row), value: row.value }
    },
  )
}
