import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { listAllMessages } from './list-all-messages.ts'
import { retrieveMessage } from './retrieve-message.ts'
import { searchAllMessages } from './search-all-messages.ts'

export function registerAllMessages(app: App, context: Context): void {
  // messages:read
  listAllMessages(app, context)
  retrieveMessage(app, context)
  searchAllMessages(app, context)
}
