import { retryTransient } from '#runs/retry-transient.ts'
import type { ExecutionContext } from '#runs/run-engine.ts'
import type { ClaimedRun } from '#store/runs/run-row.ts'
import type { RunLoopOptions } from './open-turn.ts'

/** What every part of the loop works with. */
export interface Work {
  /** The logger's lines name request, run, agent and conversation. */
  options: RunLoopOptions
  context: ExecutionContext
}

/** The fields by which lines of the log are found; `agent_name` is known once the agent is loaded. */
export const logFields = ({ id, agent_id, conversation_id, request }: ClaimedRun) => ({
  request_id: request.requestId ?? undefined,
  run_id: id,
  agent_id,
  conversation_id,
})

/** Repeats a statement of the run while the database is away. */
export const patiently = <Result>({ options, context }: Work, operation: (isRepeated: boolean) => Promise<Result>) =>
  retryTransient({ signal: context.signal, logger: options.logger }, operation)
