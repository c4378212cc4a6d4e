import Type from 'typebox'
import { recompilePrompt } from '#agent/recompile-prompt.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { recompileParameters } from '#http/v1/agents/recompile-agent.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { AnyObject, Nullable } from '#http/wire/nullable.ts'
import { toThread } from './conversation-id.ts'
import { AgentIdQuery, ThreadPath } from './conversation-schema.ts'

/** V1 took the body of a compaction here; of that only the agent has a meaning. */
const Body = Type.Object({
  agent_id: Type.Optional(Nullable(IdSchema('agent'))),
  compaction_settings: Type.Optional(Nullable(AnyObject)),
})

export function recompileConversation(app: App, context: Context): void {
  app.post(
    '/v1/conversations/:conversation_id/recompile',
    {
      config: { permission: 'conversations:write' },
      schema: {
        operationId: 'recompile_conversation',
        tags: ['conversations'],
        summary: 'Compile the system prompt of a conversation anew, and get it',
        params: ThreadPath,
        querystring: Type.Object({ ...recompileParameters, agent_id: AgentIdQuery }),
        body: Type.Optional(Nullable(Body)),
        response: { 200: Type.String() },
      },
    },
    async ({ actor, params, query, body }, reply) => {
      const thread = toThread(params.conversation_id, query.agent_id ?? body?.agent_id)
      const prompt = await recompilePrompt(context, actor.organizationId, thread, {
        isDryRun: query.dry_run,
        updatesTimestamp: query.update_timestamp,
      })
      return reply.type('application/json; charset=utf-8').serializer(JSON.stringify).send(prompt)
    },
  )
}
