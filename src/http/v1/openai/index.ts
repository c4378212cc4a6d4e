import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { createChatCompletion } from './create-chat-completion.ts'
import { createResponse } from './create-response.ts'
import { listOpenAiModels } from './list-openai-models.ts'
import { retrieveOpenAiModel } from './retrieve-openai-model.ts'

/** What programs for the API of OpenAI call, with agents as its models (`docs/openai-api.md`). */
export function registerOpenAi(app: App, context: Context): void {
  // agents:read
  listOpenAiModels(app, context)
  retrieveOpenAiModel(app, context)

  // messages:write
  createChatCompletion(app, context)
  createResponse(app, context)
}
