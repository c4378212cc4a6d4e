import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { compactConversation } from './compact-conversation.ts'
import { retrieveConversationStream } from './retrieve-conversation-stream.ts'

export function registerConversations(app: App, context: Context): void {
  // runs:read
  retrieveConversationStream(app, context)
  // messages:write
  compactConversation(app, context)
}
