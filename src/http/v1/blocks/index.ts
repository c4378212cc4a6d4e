import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { attachIdentityToBlock } from './attach-identity-to-block.ts'
import { countBlocks } from './count-blocks.ts'
import { createBlock } from './create-block.ts'
import { deleteBlock } from './delete-block.ts'
import { detachIdentityFromBlock } from './detach-identity-from-block.ts'
import { diffBlockVersions } from './diff-block-versions.ts'
import { listAgentsForBlock } from './list-agents-for-block.ts'
import { listBlockVersions } from './list-block-versions.ts'
import { listBlocks } from './list-blocks.ts'
import { modifyBlock } from './modify-block.ts'
import { restoreBlockVersion } from './restore-block-version.ts'
import { retrieveBlock } from './retrieve-block.ts'
import { retrieveBlockVersion } from './retrieve-block-version.ts'

export function registerBlocks(app: App, context: Context): void {
  // blocks:read
  listBlocks(app, context)
  countBlocks(app, context)
  retrieveBlock(app, context)
  listAgentsForBlock(app, context)
  listBlockVersions(app, context)
  retrieveBlockVersion(app, context)
  diffBlockVersions(app, context)

  // blocks:write
  createBlock(app, context)
  modifyBlock(app, context)
  deleteBlock(app, context)
  restoreBlockVersion(app, context)
  attachIdentityToBlock(app, context)
  detachIdentityFromBlock(app, context)
}
