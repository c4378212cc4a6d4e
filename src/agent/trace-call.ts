import type { ModelError, ModelReply } from '#llm/model.ts'
import type { Turn } from './open-turn.ts'
import type { Work } from './work.ts'

/** Hands the last call of the turn to the writer of traces, once its step is committed; nothing where calls are not traced. */
export function traceCall({ options }: Work, turn: Turn, stepId: string, outcome: ModelReply | ModelError): void {
  if (turn.lastRequest === undefined) return
  options.traces?.add({
    organizationId: turn.run.organization_id,
    stepId,
    runId: turn.run.id,
    agentId: turn.run.agent_id,
    callType: 'agent_step',
    model: turn.model.info,
    request: turn.lastRequest,
    outcome,
  })
}
