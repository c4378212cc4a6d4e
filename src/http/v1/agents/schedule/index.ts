import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { deleteScheduledMessage } from './delete-scheduled-message.ts'
import { listScheduledMessages } from './list-scheduled-messages.ts'
import { retrieveScheduledMessage } from './retrieve-scheduled-message.ts'
import { scheduleMessage } from './schedule-message.ts'

export function registerSchedules(app: App, context: Context): void {
  // messages:read
  listScheduledMessages(app, context)
  retrieveScheduledMessage(app, context)

  // messages:write
  scheduleMessage(app, context)
  deleteScheduledMessage(app, context)
}
