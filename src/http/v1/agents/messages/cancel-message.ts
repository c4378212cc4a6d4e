import Type from 'typebox'
import { cancelPending } from '#agent/approvals/deny-pending.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { Nullable, StringEnum } from '#http/wire/nullable.ts'
import { conflict } from '#platform/errors.ts'
import { requireAgent } from '#store/agents/require-agent.ts'
import { listPendingThreads } from '#store/conversations/pending-approvals.ts'
import { listActiveRunIds } from '#store/runs/cancel-run.ts'

export function cancelMessage(app: App, context: Context): void {
  app.post(
    '/v1/agents/:agent_id/messages/cancel',
    {
      config: { permission: 'messages:write' },
      schema: {
        operationId: 'cancel_message',
        tags: ['agents'],
        summary: 'Cancel runs of an agent: those named, or all that have not ended or wait for an approval',
        params: Type.Object({ agent_id: IdSchema('agent') }),
        body: Type.Optional(
          Nullable(Type.Object({ run_ids: Type.Optional(Nullable(Type.Array(Type.String(), { maxItems: 1000 }))) })),
        ),
        response: { 200: Type.Record(Type.String(), StringEnum(['cancelled', 'failed'])) },
      },
    },
    async ({ actor, body, params }) => {
      const { organizationId } = actor
      await requireAgent(context.db, organizationId, params.agent_id)
      const active = await listActiveRunIds(context.db, organizationId, params.agent_id)
      const asking = await listPendingThreads(context.db, organizationId, params.agent_id)
      const wanted = body?.run_ids ?? [...active, ...asking.map((thread) => thread.run_id)]
      if (wanted.length === 0) {
        throw conflict(`CONFLICT: No active runs to cancel for agent ${params.agent_id}`, { canRetry: false })
      }
      const outcome: Record<string, 'cancelled' | 'failed'> = {}
      for (const runId of wanted) {
        // a run of another agent is as unknown here as one that never was
        const isCancelled = active.includes(runId) && (await context.runs.cancel(organizationId, runId))
        const thread = asking.find((candidate) => candidate.run_id === runId)
        const isDenied = thread !== undefined && (await cancelPending(context, thread, actor.userId))
        outcome[runId] = isCancelled || isDenied ? 'cancelled' : 'failed'
      }
      return outcome
    },
  )
}
