import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { attachBlockToGroup } from './attach-block-to-group.ts'
import { countGroups } from './count-groups.ts'
import { createGroup } from './create-group.ts'
import { deleteGroup } from './delete-group.ts'
import { detachBlockFromGroup } from './detach-block-from-group.ts'
import { listGroupMessages } from './list-group-messages.ts'
import { listGroups } from './list-groups.ts'
import { modifyGroup } from './modify-group.ts'
import { resetGroupMessages } from './reset-group-messages.ts'
import { retrieveGroup } from './retrieve-group.ts'

export function registerGroups(app: App, context: Context): void {
  // groups:read
  listGroups(app, context)
  countGroups(app, context)
  retrieveGroup(app, context)
  listGroupMessages(app, context)

  // groups:write
  createGroup(app, context)
  modifyGroup(app, context)
  deleteGroup(app, context)
  resetGroupMessages(app, context)
  attachBlockToGroup(app, context)
  detachBlockFromGroup(app, context)
}
