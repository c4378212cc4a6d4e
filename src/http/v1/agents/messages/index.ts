import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { cancelMessage } from './cancel-message.ts'
import { createAgentMessageAsync } from './create-agent-message-async.ts'
import { createAgentMessageStream } from './create-agent-message-stream.ts'
import { listMessages } from './list-messages.ts'
import { modifyMessage } from './modify-message.ts'
import { previewModelRequest } from './preview-model-request.ts'
import { resetMessages } from './reset-messages.ts'
import { searchMessages } from './search-messages.ts'
import { sendMessage } from './send-message.ts'
import { summarizeMessages } from './summarize-messages.ts'

export function registerMessages(app: App, context: Context): void {
  // messages:read
  listMessages(app, context)
  searchMessages(app, context)
  previewModelRequest(app, context)
  // messages:write
  sendMessage(app, context)
  createAgentMessageStream(app, context)
  createAgentMessageAsync(app, context)
  cancelMessage(app, context)
  resetMessages(app, context)
  modifyMessage(app, context)
  summarizeMessages(app, context)
}
