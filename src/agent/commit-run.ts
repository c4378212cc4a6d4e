import type { LoggedEvent, RunFailure } from '#runs/run-events.ts'
import { toStoredFailure } from '#runs/stored-failure.ts'
import type { MessageRow } from '#store/messages/message-row.ts'
import { type Advance, advanceRun, type NewStep } from '#store/runs/advance-run.ts'
import { findRunState } from '#store/runs/find-run-state.ts'
import type { RunUsage, StopReason } from '#store/runs/run-row.ts'
import { estimateRow } from './context-window/fit-context.ts'
import { type Turn, toLease } from './open-turn.ts'
import { cancellationNote } from './transcript.ts'
import { patiently, type Work } from './work.ts'

/** Stop reasons of a run that did what it should. */
const COMPLETED: readonly StopReason[] = ['end_turn', 'max_steps', 'tool_rule', 'requires_approval']

export interface Ending {
  stopReason: StopReason
  failure: RunFailure | null
  /** The run did nothing, and the agent's last run is the one before. */
  isRefusal?: boolean
  /** The request that waits from now on; undefined where nobody knows whether one does. */
  pendingApprovalId?: string | null | undefined
}

/** A message that was committed: into the context of the next step. */
export function addRow(turn: Turn, row: MessageRow): void {
  turn.rows.push(row)
  turn.rowTokens.push(estimateRow(row))
}

/** Commits a change of the run, again while the database is away, and tells it. @returns the runs that wait, undefined when it is lost */
export async function commit(
  work: Work,
  stepCount: number,
  usage: RunUsage,
  change: Pick<Advance, 'messages' | 'toolCalls'> & {
    /** Those of the messages that streams tell. */
    rows: MessageRow[]
    steps: NewStep[]
    ending: Ending | null
  },
): Promise<number | undefined> {
  const { db } = work.options
  const { run, log } = work.context
  const { ending } = change
  const told: LoggedEvent[] = change.rows.map((message) => ({ type: 'message', message }))
  if (ending !== null) {
    const steps = stepCount + change.steps.length
    told.push({ type: 'run-end', stopReason: ending.stopReason, usage, stepCount: steps, error: ending.failure })
  }
  const sealed = await log.seal(told)
  const [step] = change.steps
  const advanced = await patiently(work, async (isRepeated) => {
    const done = await advanceRun(db, toLease(run), {
      agentId: run.agent_id,
      conversationId: run.conversation_id,
      stepCount,
      messages: change.messages,
      steps: change.steps,
      toolCalls: change.toolCalls,
      usage,
      firstTokenNs:
        step?.first_token_ms == null
          ? null
          : Math.round(step.step_start_ns - run.created_at.getTime() * 1e6 + step.first_token_ms * 1e6),
      ending:
        change.ending === null
          ? null
          : {
              status: statusOf(change.ending.stopReason),
              stopReason: change.ending.stopReason,
              error: change.ending.failure === null ? null : toStoredFailure(change.ending.failure),
              pendingApprovalId: change.ending.pendingApprovalId,
              isRefusal: change.ending.isRefusal ?? false,
            },
      events: sealed.batches,
    })
    if (done !== undefined || !isRepeated) return done
    // the answer to an earlier attempt may have been lost after it was committed
    const state = await findRunState(db, toLease(run))
    const isCommitted = state !== undefined && (state.step_count > stepCount || state.status !== 'running')
    return isCommitted ? { waiting: 0, companionRunIds: [] } : undefined
  })
  if (advanced === undefined) return undefined
  if (ending !== null) logEnd(work, stepCount + change.steps.length, usage, ending)
  const { companionRunIds } = advanced
  if (companionRunIds.length === 0) sealed.tell()
  else sealed.tell(told.map((event) => (event.type === 'run-end' ? { ...event, companionRunIds } : event)))
  return advanced.waiting
}

function statusOf(stopReason: StopReason): 'completed' | 'cancelled' | 'failed' {
  if (COMPLETED.includes(stopReason)) return 'completed'
  return stopReason === 'cancelled' ? 'cancelled' : 'failed'
}

function logEnd({ context, options }: Work, stepCount: number, usage: RunUsage, ending: Ending): void {
  const { prompt_tokens, completion_tokens } = usage
  const duration_ms = Date.now() - context.run.created_at.getTime()
  options.logger.info(
    { stop_reason: ending.stopReason, steps: stepCount, duration_ms, prompt_tokens, completion_tokens },
    'run ended',
  )
}

/** Ends a run without a further step. @param told messages that streams tell before the end */
export function endRun(
  work: Work,
  stepCount: number,
  usage: RunUsage,
  ending: Ending,
  told: MessageRow[] = [],
): Promise<number | undefined> {
  const messages = ending.stopReason === 'cancelled' ? [cancellationNote()] : []
  return commit(work, stepCount, usage, { messages, rows: told, steps: [], toolCalls: [], ending })
}
