import { ModelError } from '#llm/model.ts'
import { DomainError, errorMessage } from '#platform/errors.ts'
import { newOrderedId } from '#platform/ids.ts'
import { isGivenUp } from '#runs/retry-transient.ts'
import type { RunExecutor } from '#runs/run-engine.ts'
import { addUsage, emptyUsage } from '#runs/usage.ts'
import type { MessageRow, NewMessage, ToolReturn } from '#store/messages/message-row.ts'
import type { NewToolCall } from '#store/runs/advance-run.ts'
import { findBuiltinTool } from '#tools/registry.ts'
import { failure, type ToolOutcome } from '#tools/tool.ts'
import { createAgentMessenger } from './agent-messenger.ts'
import { toRequest } from './approvals/asked-calls.ts'
import { findPending } from './approvals/find-pending.ts'
import { askModel } from './ask-model.ts'
import { beginTurn, type OpenCalls } from './begin-turn.ts'
import { addRow, commit, type Ending, endRun } from './commit-run.ts'
import { contextTokens } from './context-window/context-limits.ts'
import { TokenRatios } from './context-window/token-ratios.ts'
import { type Draft, draftAnswer } from './draft-answer.ts'
import { heartbeatMessage } from './heartbeat.ts'
import { moveAfterText, moveAfterTools, type NextMove, type Situation } from './next-move.ts'
import { isParallel, offerTools } from './offer-tools.ts'
import { openTurn, type RunLoopOptions, type Turn } from './open-turn.ts'
import {
  buildCancelledStep,
  buildFailedStep,
  buildStep,
  errorTypeOf,
  type StepReply,
  stopReasonOf,
} from './run-step.ts'
import { type PendingCall, runTools } from './run-tools.ts'
import { toRow } from './to-row.ts'
import { describeViolation } from './tool-rules/render-tool-rules.ts'
import { prefilledArguments, solveToolRules } from './tool-rules/solve-tool-rules.ts'
import type { PastCall } from './tool-rules/tool-rule.ts'
import { toPastCalls, turnHistory } from './tool-rules/turn-history.ts'
import { traceCall } from './trace-call.ts'
import { cancellationNote } from './transcript.ts'
import { logFields, patiently, type Work } from './work.ts'

/** Clients wait a minute for the whole answer. */
const DEFAULT_SUMMARY_TIMEOUT_MS = 30_000

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
  const beginning = await beginTurn(work, turn)
  if (beginning?.kind === 'end') return endTurn(work, turn, beginning.ending, beginning.told)
  if (beginning?.kind === 'calls' && !(await finishCalls(work, turn, beginning.open))) return undefined
  for (;;) {
    if (isGivenUp(signal) || isDraining()) return undefined
    const early = endBeforeStep(work, turn)
    if (early !== undefined) return endTurn(work, turn, early)
    const step = await takeStep(work, turn)
    if (step === 'lost') return undefined
    if (step.kind === 'ended') return step.waiting
    if (step.kind === 'step') continue
    if (!(await finishCalls(work, turn, step))) return undefined
  }
}

/** Why the run ends before another step; undefined when it goes on. */
function endBeforeStep({ context }: Work, turn: Turn): Ending | undefined {
  const isOver = context.signal.reason === 'cancelled' || turn.run.request.answer?.isCancel === true
  if (isOver) return { stopReason: 'cancelled', failure: null }
  const last = turn.rows.at(-1)
  if (last?.role === 'tool' && last.run_id === turn.run.id) {
    const move = moveAfter(turn, last.tool_returns ?? [], turn.rows.slice(0, -1))
    if (move.kind === 'end') return { stopReason: move.stopReason, failure: null }
  }
  if (turn.stepCount >= turn.run.request.maxSteps) return { stopReason: 'max_steps', failure: null }
  return undefined
}

/** What the rules and the engine want after the results of a step's calls; `rows` end with those calls. */
function moveAfter(turn: Turn, results: readonly ToolReturn[], rows: readonly MessageRow[]): NextMove {
  const isWanted = new Set(results.map((result) => result.tool_call_id))
  const calls = rows.flatMap((row) => row.tool_calls ?? []).filter((call) => isWanted.has(call.tool_call_id))
  const history = [...turnHistory(rows.slice(turn.firstOwnRow)), ...toPastCalls(results)]
  return moveAfterTools(situationOf(turn, history), calls, results)
}

const situationOf = (turn: Turn, history: readonly PastCall[]): Situation => ({
  engine: turn.engine,
  rules: turn.rules,
  history,
  available: turn.tools.map((tool) => tool.name),
})

const hasStepsLeft = (turn: Turn, stepCount: number): boolean => stepCount < turn.run.request.maxSteps

type StepOutcome =
  | { kind: 'calls'; stepId: string; calls: PendingCall[] }
  | { kind: 'step' }
  | { kind: 'ended'; waiting: number | undefined }

/** One call to the model and the commit of what it said. */
async function takeStep(work: Work, turn: Turn): Promise<StepOutcome | 'lost'> {
  const startedAt = Date.now()
  turn.offer = offerTools(turn)
  turn.isAsking = false
  let said: StepReply
  try {
    said = await askModel(work, turn)
  } catch (error) {
    if (isGivenUp(work.context.signal)) return 'lost'
    if (work.context.signal.reason === 'cancelled') {
      return { kind: 'ended', waiting: await endCancelledStep(work, turn, startedAt) }
    }
    if (!(error instanceof ModelError)) throw error
    return { kind: 'ended', waiting: await endAfterModelError(work, turn, error, startedAt) }
  }
  const draft = draftAnswer(turn, said)
  const asked = draft.calls.filter((call) => turn.asked.has(call.name) && judgeCall(turn, call, []) === undefined)
  const { ending, heartbeat } =
    draft.calls.length === 0 ? endOf(turn, draft) : asked.length > 0 ? REQUEST : CALLS_FOLLOW
  const toolCalls = draft.calls.map(
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
  const { usage } = said.reply
  turn.usage = addUsage(turn.usage, usage, contextTokens(turn) + usage.outputTokens)
  const answer = asked.length > 0 ? toRequest(draft.message, asked) : draft.isEmpty ? [] : [draft.message]
  const rows = answer.map((message) => toRow(turn, message))
  const waiting = await commit(work, turn.stepCount, turn.usage, {
    messages: [...answer, ...heartbeat],
    rows,
    steps: [buildStep(turn, said, startedAt, ending?.stopReason ?? null)],
    toolCalls,
    ending: ending === null ? null : { ...ending, pendingApprovalId: findPending([...turn.rows, ...rows])?.id ?? null },
  })
  if (waiting === undefined) return 'lost'
  traceCall(work, turn, said.stepId, said.reply)
  turn.stepCount += 1
  for (const row of [...rows, ...heartbeat.map((message) => toRow(turn, message))]) addRow(turn, row)
  if (ending !== null) return { kind: 'ended', waiting }
  if (toolCalls.length === 0) return { kind: 'step' }
  return {
    kind: 'calls',
    stepId: said.stepId,
    calls: toolCalls.map((call) => ({ ...call, name: call.tool_name, isStarted: false, result: null })),
  }
}

interface StepEnd {
  ending: Ending | null
  heartbeat: NewMessage[]
}
const CALLS_FOLLOW: StepEnd = { ending: null, heartbeat: [] }
const REQUEST: StepEnd = { ending: { stopReason: 'requires_approval', failure: null }, heartbeat: [] }

/** How a step without calls ends: the run with it, unless a tool must be called first. */
function endOf(turn: Turn, draft: Draft): StepEnd {
  if (draft.isCut) return { ending: { stopReason: 'max_tokens_exceeded', failure: null }, heartbeat: [] }
  const history = turnHistory(turn.rows.slice(turn.firstOwnRow))
  const move = moveAfterText(situationOf(turn, history), turn.offer.isThought)
  if (move.kind === 'end') return { ending: { stopReason: move.stopReason, failure: null }, heartbeat: [] }
  if (!hasStepsLeft(turn, turn.stepCount + 1))
    return { ending: { stopReason: 'max_steps', failure: null }, heartbeat: [] }
  return { ending: null, heartbeat: heartbeatOf(turn, move) }
}

const heartbeatOf = (turn: Turn, move: NextMove): NewMessage[] =>
  move.kind === 'step' && move.heartbeat !== null ? [heartbeatMessage(move.heartbeat, turn.thread.timezone)] : []

/** Executes the calls of a step and tells their results; false when the run is not ours any more. */
async function finishCalls(work: Work, turn: Turn, open: OpenCalls): Promise<boolean> {
  const { context, options } = work
  const toolRun = {
    db: options.db,
    logger: options.logger,
    lease: turn.lease,
    agentId: turn.thread.agent_id,
    conversationId: turn.thread.conversation_id,
    timezone: turn.thread.timezone,
    tools: turn.thread.tools,
    findTool: options.findTool ?? findBuiltinTool,
    judge: (call: PendingCall, results: readonly ToolReturn[]) =>
      open.outcome?.(call) ?? judgeCall(turn, call, results),
    prefilled: (call: PendingCall) =>
      Object.keys(prefilledArguments(turn.rules, turnHistory(turn.rows.slice(turn.firstOwnRow)), call.name) ?? {}),
    additions: turn.additions,
    messenger: createAgentMessenger(options.db, options.agentRuns ?? {}, turn.run),
    customTools: options.customTools,
    services: options.services ?? {},
    allowsParallel: isParallel(turn.engine, turn.rules),
    before: open.before ?? [],
    after: (results: readonly ToolReturn[]) => [
      ...(hasStepsLeft(turn, turn.stepCount) ? heartbeatOf(turn, moveAfter(turn, results, turn.rows)) : []),
      ...(open.after ?? []),
    ],
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
  const messages = await runTools(toolRun, open.stepId, open.calls)
  turn.thread.blocks = toolRun.blocks
  if (messages === undefined) return false
  for (const message of messages) addRow(turn, toRow(turn, message))
  return true
}

/** The refusal of a call that the rules do not allow now; a tool that there is not is told as such instead. */
function judgeCall(turn: Turn, { name }: { name: string }, results: readonly ToolReturn[]): ToolOutcome | undefined {
  const available = turn.tools.map((tool) => tool.name)
  if (turn.rules.length === 0 || !available.includes(name)) return undefined
  const history = [...turnHistory(turn.rows.slice(turn.firstOwnRow)), ...toPastCalls(results)]
  const { allowed } = solveToolRules(turn.rules, history, available)
  return allowed.includes(name)
    ? undefined
    : { ...failure(describeViolation(turn.rules, name, allowed)), is_violation: true }
}

/** Ends a run that has begun. @param told messages that streams tell before the end */
async function endTurn(work: Work, turn: Turn, ending: Ending, told: MessageRow[] = []): Promise<number | undefined> {
  const pendingApprovalId = findPending(turn.rows)?.id ?? null
  return endRun(work, turn.stepCount, turn.usage, { ...ending, pendingApprovalId }, told)
}

/** Ends a run that was cancelled in a step. A call that was under way then is a step too, and a row in the ledger: the provider has it. */
async function endCancelledStep(work: Work, turn: Turn, startedAt: number): Promise<number | undefined> {
  const ending: Ending = { stopReason: 'cancelled', failure: null }
  if (turn.isAsking !== true) return endTurn(work, turn, ending)
  const step = buildCancelledStep(turn, startedAt)
  const waiting = await commit(work, turn.stepCount, turn.usage, {
    messages: [cancellationNote()],
    rows: [],
    steps: [step],
    toolCalls: [],
    ending: { ...ending, pendingApprovalId: findPending(turn.rows)?.id ?? null },
  })
  const outcome = new ModelError('aborted', 'The run was cancelled while the model answered.')
  if (waiting !== undefined) traceCall(work, turn, step.id, outcome)
  return waiting
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
  const ending = { stopReason: stopReasonOf(error), failure, pendingApprovalId: findPending(turn.rows)?.id ?? null }
  const step = buildFailedStep(turn, error, startedAt, ending.stopReason)
  const change = { messages: [], rows: [], steps: [step], toolCalls: [], ending }
  const waiting = await commit(work, turn.stepCount, turn.usage, change)
  if (waiting !== undefined) traceCall(work, turn, step.id, error)
  return waiting
}
