import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { diffQuery, diffSchema, presentDiff } from '#http/wire/versions.ts'
import { compareBlockVersions } from '#memory/block-versions.ts'
import { BlockVersionId, BlockVersionSchema } from './block-version-schema.ts'
import { presentBlockVersion } from './present-block-version.ts'

export function diffBlockVersions(app: App, context: Context): void {
  app.get(
    '/v1/blocks/:block_id/versions/:version/diff',
    {
      config: { permission: 'blocks:read' },
      schema: {
        operationId: 'diff_block_versions',
        tags: ['blocks'],
        summary: 'What a version of a block changed, or how it differs from another one',
        params: BlockVersionId,
        querystring: Type.Object(diffQuery),
        response: { 200: diffSchema(BlockVersionSchema) },
      },
    },
    async ({ actor, params, query }) => {
      const asked = { version: params.version, from: query.from }
      const pair = await compareBlockVersions(context.db, actor.organizationId, params.block_id, asked)
      return presentDiff(pair, (row) => row.value, presentBlockVersion)
    },
  )
}
