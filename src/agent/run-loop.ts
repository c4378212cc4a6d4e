import { ModelError, type ToolCallPart } from '#llm/model.ts'
import { DomainError, errorMessage } from '#platform/errors.ts'
import { newOrderedId } from '#platform/ids.ts'
import { isGivenUp } from '#runs/retry-transient.ts'
import type { RunExecutor } from '#runs/run-engine.ts'
import type { LoggedEvent, RunFailure } from '#runs/run-events.ts'
import { toStoredFailure } from '#runs/stored-failure.ts'
import { addUsage, emptyUsage } from '#runs/usage.ts'
import type { MessageRow, NewMessage } from '#store/messages/message-row.ts'
import { type Advance, advanceRun, type NewStep, type NewToolCall } from '#store/runs/advance-run.ts'
import { findRunState } from '#store/runs/find-run-state.ts'
import type { RunUsage, StopReason } from '#store/runs/run-row.ts'
import { listToolCalls } from '#store/tool-calls/list-tool-calls.ts'
import { findBuiltinTool } from '#tools/registry.ts'
import { askModel } from './ask-model.ts'
import { contextTokens } from './context-window/context-limits.ts'
import { estimateRow } from './context-window/fit-context.ts'
import { TokenRatios } from './context-window/token-ratios.ts'
import { openTurn, type RunLoopOptions, type Turn, toLease } from './open-turn.ts'
import { buildFailedStep, buildStep, errorTypeOf, type StepReply, stopReasonOf } from './run-step.ts'
import { type PendingCall, runTools } from './run-tools.ts'
import { toRow } from './to-row.ts'
import { traceCall } from './trace-call.ts'
import { cancellationNote } from './transcript.ts'
import { logFields, patiently, type Work } from './work.ts'

/** Stop reasons of a run that did what it should. */
const COMPLETED: readonly StopReason[] = ['end_turn', 'max_steps', 'tool_rule', 'requires_approval']

/** Clients wait a minute for the whole answer. */
const DEFAULT_SUMMARY_TIMEOUT_MS = 30_000

interface Ending {
  stopReason: StopReason
  failure: RunFailure | null
}

/**
 * The executor of the run engine: goes on with a run from its last committed row until it has ended. A fault that nobody
 * foresaw ends the run too: a run that fails the same way wherever it is taken over would block its thread and pay for ever.
 */
export function createRunLoop(
  given: Omit<RunLoopOptions, 'tokenRatios' | 'summaryTimeoutMs'> & { summaryTimeoutMs?: number },
): RunExecutor {
  const options = { summaryTimeoutMs: DEFAULT_SUMMARY_TIMEOUT_MS, ...given, tokenRatios: new TokenRatios() }
  return async (context) => {
    const { run, signal } = context
    const work = { options: { ...options, logger: options.logger.child(logFields(run)) }, context }
    let turn: Turn | undefined
    try {
      turn = await patiently(work, () => openTurn(options, run))
      if (turn === undefined) return undefined
      work.options.logger.setBindings({ agent_name: turn.thread.name })
      return await runTurn(work, turn)
    } catch (error) {
      if (isGivenUp(signal)) throw error
      const { stepCount, usage } = turn ?? { stepCount: run.step_count, usage: { ...emptyUsage(), ...run.usage } }
      return endRun(work, stepCount, usage, endingAfter(work, error))
    }
  }
}

function endingAfter({ options, context }: Work, error: unknown): Ending {
  if (error instanceof DomainError) {
    const failure = { type: 'llm_error', message: error.message, detail: null, cause: error }
    return { stopReason: 'llm_api_error', failure }
  }
  options.logger.error({ err: error }, 'run failed')
  const message = `The run failed by a fault of the server. Its log says more, under ${context.run.id}.`
  return { stopReason: 'error', failure: { type: 'internal_error', message, detail: null, cause: error } }
}

/** Steps until the run ends; first of all the tools of a step that a dead process left unfinished. */
async function runTurn(work: Work, turn: Turn): Promise<number | undefined> {
  const { signal, emit, isDraining } = work.context
  emit({ type: 'run-start' })
  const open = await patiently(work, () => findOpenCalls(work, turn))
  if (open !== undefined && !(await finishCalls(work, turn, open.stepId, open.calls))) return undefined
  for (;;) {
    if (isGivenUp(signal) || isDraining()) return undefined
    const early = endBeforeStep(work, turn)
    if (early !== undefined) return endRun(work, turn.stepCount, turn.usage, early)
    const step = await takeStep(work, turn)
    if (step === 'lost') return undefined
    if (step.kind === 'ended') return step.waiting
    if (!(await finishCalls(work, turn, step.stepId, step.calls))) return undefined
  }
}

/** Why the run ends although the model has not ended it; undefined when it goes on. */
function endBeforeStep({ context }: Work, turn: Turn): Ending | undefined {
  if (context.signal.reason === 'cancelled') return { stopReason: 'cancelled', failure: null }
  const last = turn.rows.at(-1)
  const exits = new Set(
    turn.thread.tool_rules.filter((rule) => rule.type === 'exit_loop').map((rule) => rule.tool_name),
  )
  const hasExited =
    last?.role === 'tool' && last.run_id === turn.run.id && last.tool_returns?.some((result) => exits.has(result.name))
  if (hasExited) return { stopReason: 'tool_rule', failure: null }
  if (turn.stepCount >= turn.run.request.maxSteps) return { stopReason: 'max_steps', failure: null }
  return undefined
}

type StepOutcome =
  | { kind: 'calls'; stepId: string; calls: PendingCall[] }
  | { kind: 'ended'; waiting: number | undefined }

/** One call to the model and the commit of what it said. */
async function takeStep(work: Work, turn: Turn): Promise<StepOutcome | 'lost'> {
  const startedAt = Date.now()
  let said: StepReply
  try {
    said = await askModel(work, turn)
  } catch (error) {
    if (isGivenUp(work.context.signal)) return 'lost'
    if (work.context.signal.reason === 'cancelled') {
      return {
        kind: 'ended',
        waiting: await endRun(work, turn.stepCount, turn.usage, { stopReason: 'cancelled', failure: null }),
      }
    }
    if (!(error instanceof ModelError)) throw error
    return { kind: 'ended', waiting: await endAfterModelError(work, turn, error, startedAt) }
  }
  const { reply } = said
  // a reply that was cut off may hold half a call: nobody can say what it meant
  const isCut = reply.finishReason === 'length'
  const calls = isCut
    ? []
    : withOwnIds(turn, reply.toolCalls).slice(0, turn.settings.parallel_tool_calls === false ? 1 : undefined)
  const isEmpty = reply.content.length === 0 && calls.length === 0
  const message: NewMessage = {
    id: said.messageId,
    role: 'assistant',
    content: reply.content,
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
    model: turn.model.info.handle,
    step_id: said.stepId,
    search_text: reply.content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n'),
  }
  const ending: Ending | null =
    calls.length > 0 ? null : { stopReason: isCut ? 'max_tokens_exceeded' : 'end_turn', failure: null }
  const toolCalls = calls.map(
    (call, position): NewToolCall => ({
      id: newOrderedId('call'),
      step_id: said.stepId,
      position,
      tool_call_id: call.tool_call_id,
      tool_name: call.name,
      arguments: call.arguments,
      created_at: new Date().toISOString(),
    }),
  )
  turn.usage = addUsage(turn.usage, reply.usage, contextTokens(turn) + reply.usage.outputTokens)
  const row = toRow(turn, message)
  const waiting = await commit(work, turn.stepCount, turn.usage, {
    messages: isEmpty ? [] : [message],
    rows: isEmpty ? [] : [row],
    steps: [buildStep(turn, said, startedAt, ending?.stopReason ?? null)],
    toolCalls,
    ending,
  })
  if (waiting === undefined) return 'lost'
  traceCall(work, turn, said.stepId, reply)
  turn.stepCount += 1
  if (!isEmpty) addRow(turn, row)
  if (ending !== null) return { kind: 'ended', waiting }
  return {
    kind: 'calls',
    stepId: said.stepId,
    calls: toolCalls.map((call) => ({ ...call, name: call.tool_name, isStarted: false, result: null })),
  }
}

/** Some servers number the calls of each reply anew, or not at all; providers refuse a transcript where two have one id. */
function withOwnIds(turn: Turn, calls: readonly ToolCallPart[]): ToolCallPart[] {
  const taken = new Set(turn.rows.flatMap((row) => (row.tool_calls ?? []).map((call) => call.tool_call_id)))
  return calls.map((call) => {
    const isOwn = call.tool_call_id !== '' && !taken.has(call.tool_call_id)
    const id = isOwn ? call.tool_call_id : newOrderedId('call')
    taken.add(id)
    return { ...call, tool_call_id: id }
  })
}

/** The calls of the run's last step if its results are not all told yet. */
async function findOpenCalls(
  { options }: Work,
  turn: Turn,
): Promise<{ stepId: string; calls: PendingCall[] } | undefined> {
  const last = turn.rows.at(-1)
  if (last?.role !== 'assistant' || last.run_id !== turn.run.id || last.step_id === null || last.tool_calls === null) {
    return undefined
  }
  const rows = await listToolCalls(options.db, turn.run.organization_id, turn.run.id, last.step_id)
  return {
    stepId: last.step_id,
    calls: rows.map((row) => ({
      id: row.id,
      created_at: row.created_at.toISOString(),
      tool_call_id: row.tool_call_id,
      name: row.tool_name,
      arguments: row.arguments,
      isStarted: row.state === 'started',
      result: row.result,
    })),
  }
}

/** Executes the calls of a step and tells their results; false when the run is not ours any more. */
async function finishCalls(work: Work, turn: Turn, stepId: string, calls: PendingCall[]): Promise<boolean> {
  const { context, options } = work
  const approval = turn.thread.tool_rules.filter((rule) => rule.type === 'requires_approval')
  const toolRun = {
    db: options.db,
    logger: options.logger,
    lease: turn.lease,
    agentId: turn.thread.agent_id,
    conversationId: turn.thread.conversation_id,
    timezone: turn.thread.timezone,
    tools: turn.thread.tools,
    findTool: options.findTool ?? findBuiltinTool,
    needsApproval: new Set(approval.map((rule) => rule.tool_name)),
    blocks: turn.thread.blocks,
    signal: context.signal,
    isDraining: context.isDraining,
    seal: (placeholder: NewMessage) =>
      context.log.seal([{ type: 'message', message: toRow(turn, placeholder) }]).then((sealed) => ({
        batches: sealed.batches,
        tell: (told: NewMessage) => sealed.tell([{ type: 'message', message: toRow(turn, told) }]),
      })),
    onStart: (call: PendingCall) =>
      context.emit({ type: 'tool-start', toolCallId: call.tool_call_id, name: call.name }),
  }
  const message = await runTools(toolRun, stepId, calls)
  turn.thread.blocks = toolRun.blocks
  if (message === undefined) return false
  addRow(turn, toRow(turn, message))
  return true
}

/** A message that was committed: into the context of the next step. */
function addRow(turn: Turn, row: MessageRow): void {
  turn.rows.push(row)
  turn.rowTokens.push(estimateRow(row))
}

/** Commits a change of the run, again while the database is away, and tells it. @returns the runs that wait, undefined when it is lost */
async function commit(
  work: Work,
  stepCount: number,
  usage: RunUsage,
  change: Pick<Advance, 'messages' | 'toolCalls'> & { rows: MessageRow[]; steps: NewStep[]; ending: Ending | null },
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

/** Ends a run without a further step. */
const endRun = (work: Work, stepCount: number, usage: RunUsage, ending: Ending): Promise<number | undefined> => {
  const messages = ending.stopReason === 'cancelled' ? [cancellationNote()] : []
  return commit(work, stepCount, usage, { messages, rows: [], steps: [], toolCalls: [], ending })
}

/** Ends a run whose model failed; the failed call is a step too, and a row in the ledger. */
async function endAfterModelError(
  work: Work,
  turn: Turn,
  error: ModelError,
  startedAt: number,
): Promise<number | undefined> {
  work.options.logger.warn({ kind: error.kind, error: errorMessage(error) }, 'model failed')
  const failure = { type: errorTypeOf(error), message: error.message, detail: null, cause: error }
  const ending = { stopReason: stopReasonOf(error), failure }
  const step = buildFailedStep(turn, error, startedAt, ending.stopReason)
  const change = { messages: [], rows: [], steps: [step], toolCalls: [], ending }
  const waiting = await commit(work, turn.stepCount, turn.usage, change)
  if (waiting !== undefined) traceCall(work, turn, step.id, error)
  return waiting
}
