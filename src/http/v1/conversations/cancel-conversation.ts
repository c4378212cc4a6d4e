import Type from 'typebox'
import { cancelPending } from '#agent/approvals/deny-pending.ts'
import { getThreadId } from '#agent/get-thread.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { StringEnum } from '#http/wire/nullable.ts'
import { conflict } from '#platform/errors.ts'
import { listActiveRunsOfThread } from '#store/conversations/conversation-reader.ts'
import { listPendingThreads } from '#store/conversations/pending-approvals.ts'
import { toThread } from './conversation-id.ts'
import { AgentIdQuery, ThreadPath } from './conversation-schema.ts'

export function cancelConversation(app: App, context: Context): void {
  app.post(
    '/v1/conversations/:conversation_id/cancel',
    {
      config: { permission: 'messages:write' },
      schema: {
        operationId: 'cancel_conversation',
        tags: ['conversations'],
        summary: 'Cancel the runs of a conversation that have not ended or wait for an approval',
        params: ThreadPath,
        querystring: Type.Object({ agent_id: AgentIdQuery }),
        response: { 200: Type.Record(Type.String(), StringEnum(['cancelled', 'failed'])) },
      },
    },
    async ({ actor, params, query }) => {
      const { organizationId } = actor
      const thread = await getThreadId(context.db, organizationId, toThread(params.conversation_id, query.agent_id))
      const active = await listActiveRunsOfThread(context.db, organizationId, thread)
      const asking = (await listPendingThreads(context.db, organizationId, thread.agent_id)).find(
        (pending) => pending.conversation_id === thread.id,
      )
      if (active.length === 0 && asking === undefined) {
        throw conflict(`CONFLICT: No active runs to cancel for conversation ${params.conversation_id}`, {
          canRetry: false,
        })
      }
      const outcome: Record<string, 'cancelled' | 'failed'> = {}
      // the last first, so that nothing that waits starts meanwhile
      for (const runId of active.toReversed()) {
        outcome[runId] = (await context.runs.cancel(organizationId, runId)) ? 'cancelled' : 'failed'
      }
      if (asking !== undefined) {
        outcome[asking.run_id] = (await cancelPending(context, asking, actor.userId)) ? 'cancelled' : 'failed'
      }
      return outcome
    },
  )
}
