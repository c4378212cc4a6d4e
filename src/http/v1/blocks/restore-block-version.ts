import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { ExpectedVersion } from '#http/wire/versions.ts'
import { restoreBlock } from '#memory/block-versions.ts'
import { BlockSchema } from './block-schema.ts'
import { BlockVersionId } from './block-version-schema.ts'
import { presentBlock } from './present-block.ts'

export function restoreBlockVersion(app: App, context: Context): void {
  app.post(
    '/v1/blocks/:block_id/versions/:version/restore',
    {
      config: { permission: 'blocks:write' },
      schema: {
        operationId: 'restore_block_version',
        tags: ['blocks'],
        summary: 'Give a block the label, description and value of one of its versions, as a new version',
        params: BlockVersionId,
        body: Type.Object({ expected_version: ExpectedVersion }),
        response: { 200: BlockSchema },
      },
    },
    async ({ actor, params, body }) => {
      const wanted = {
        version: params.version,
        expectedVersion: body.expected_version,
      }
      const author = { type: 'user', userId: actor.userId } as const
      return presentBlock(await restoreBlock(context.db, actor.organizationId, params.block_id, wanted, author))
    },
  )
}
