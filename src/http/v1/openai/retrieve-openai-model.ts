import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { getAgentModel } from './get-agent-model.ts'
import { OpenAiModelSchema, presentAgentModel } from './model-schema.ts'
import { sendOpenAiError } from './openai-error.ts'

export function retrieveOpenAiModel(app: App, context: Context): void {
  app.get(
    '/v1/openai/models/:model',
    {
      config: { permission: 'agents:read' },
      errorHandler: sendOpenAiError,
      schema: {
        operationId: 'retrieve_openai_model',
        tags: ['openai'],
        summary: 'OpenAI: retrieve an agent as a model, by its id or its name',
        params: Type.Object({ model: Type.String() }),
        response: { 200: OpenAiModelSchema },
      },
    },
    async ({ actor, params }) => presentAgentModel(await getAgentModel(context.db, actor.organizationId, params.model)),
  )
}
