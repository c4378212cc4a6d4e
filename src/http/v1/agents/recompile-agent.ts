import Type from 'typebox'
import { recompilePrompt } from '#agent/recompile-prompt.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { AgentId } from './agent-schema.ts'

export const recompileParameters = {
  dry_run: Type.Boolean({ default: false, description: 'Give the prompt and store nothing' }),
  update_timestamp: Type.Boolean({ default: false, description: 'Let the prompt say that it is of now' }),
}

export function recompileAgent(app: App, context: Context): void {
  for (const [operationId, path] of [
    ['recompile_agent', '/v1/agents/:agent_id/recompile'],
    ['recompile_agent_system_prompt', '/v1/agents/:agent_id/system-prompt/recompile'],
  ] as const) {
    app.post(
      path,
      {
        config: { permission: 'agents:write' },
        schema: {
          operationId,
          tags: ['agents'],
          summary: "Compile the system prompt of an agent's default conversation anew, and get it",
          params: AgentId,
          querystring: Type.Object(recompileParameters),
          response: { 200: Type.String() },
        },
      },
      async ({ actor, params, query }, reply) => {
        const thread = { agentId: params.agent_id }
        const prompt = await recompilePrompt(context, actor.organizationId, thread, {
          isDryRun: query.dry_run,
          updatesTimestamp: query.update_timestamp,
        })
        return reply.type('application/json; charset=utf-8').serializer(JSON.stringify).send(prompt)
      },
    )
  }
}
