import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { cancelConversation } from './cancel-conversation.ts'
import { compactConversation } from './compact-conversation.ts'
import { createConversation } from './create-conversation.ts'
import { deleteConversation } from './delete-conversation.ts'
import { forkConversation } from './fork-conversation.ts'
import { listConversationMessages } from './list-conversation-messages.ts'
import { listConversations } from './list-conversations.ts'
import { previewConversationModelRequest } from './preview-conversation-model-request.ts'
import { recompileConversation } from './recompile-conversation.ts'
import { retrieveConversation } from './retrieve-conversation.ts'
import { retrieveConversationStream } from './retrieve-conversation-stream.ts'
import { sendConversationMessage } from './send-conversation-message.ts'
import { updateConversation } from './update-conversation.ts'

export function registerConversations(app: App, context: Context): void {
  // conversations:read
  listConversations(app, context)
  retrieveConversation(app, context)

  // conversations:write
  createConversation(app, context)
  updateConversation(app, context)
  deleteConversation(app, context)
  forkConversation(app, context)
  recompileConversation(app, context)

  // messages:read
  listConversationMessages(app, context)
  previewConversationModelRequest(app, context)

  // messages:write
  sendConversationMessage(app, context)
  cancelConversation(app, context)

  // runs:read
  retrieveConversationStream(app, context)
  // messages:write
  compactConversation(app, context)
}
