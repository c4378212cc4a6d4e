import type { MessageRow, NewMessage, ToolReturn } from '#store/messages/message-row.ts'
import { listToolCalls } from '#store/tool-calls/list-tool-calls.ts'
import type { ToolOutcome } from '#tools/tool.ts'
import { outcomeOf } from './approvals/carry-out.ts'
import { findPending } from './approvals/find-pending.ts'
import { pendingApproval, readAnswer } from './approvals/read-answer.ts'
import type { Ending } from './commit-run.ts'
import type { Turn } from './open-turn.ts'
import type { PendingCall } from './run-tools.ts'
import { patiently, type Work } from './work.ts'

/** Calls to be carried out, with what is stored before and after their results. */
export interface OpenCalls {
  stepId: string
  calls: PendingCall[]
  /** What a call gives without being executed. */
  outcome?: (call: PendingCall) => ToolOutcome | undefined
  /** Stored with the first result. */
  before?: NewMessage[]
  /** Stored with the last one. */
  after?: NewMessage[]
}

/** How a run begins, or goes on after a crash: with calls, with a step of the model (undefined), or with its end. */
export type Beginning = { kind: 'calls'; open: OpenCalls } | { kind: 'end'; ending: Ending; told: MessageRow[] }

/** What a run has to do before the model is asked: carry out calls that are left, its own or those that it answers. */
export async function beginTurn(work: Work, turn: Turn): Promise<Beginning | undefined> {
  const { answer } = turn.run.request
  const own = turn.rows.filter((row) => row.run_id === turn.run.id)
  if (answer === undefined && own.length === 0 && turn.stepCount === 0) {
    return refuse(pendingApproval(findPending(turn.rows)?.id ?? null), 'pending_approval')
  }
  if (answer === undefined || own.some((row) => row.role === 'tool')) return findOpenCalls(work, turn)
  const read = readAnswer(turn.rows, answer)
  if (read.kind === 'refused') return refuse(read.error, 'invalid_approval')
  if (read.kind === 'duplicate') return repeat(turn, read.runId)
  const { request, approvals } = read
  const calls = await loadCalls(work, turn, request)
  const isStored = own.some((row) => row.id === answer.messageId)
  const message: NewMessage = {
    id: answer.messageId,
    role: 'approval',
    content: [],
    approvals,
    otid: answer.otid,
    step_id: request.step_id,
    search_text: null,
  }
  return {
    kind: 'calls',
    open: {
      stepId: request.step_id ?? '',
      calls,
      outcome: (call) => outcomeOf(approvals, call.tool_call_id, answer.isCancel ?? false),
      before: isStored ? [] : [message],
      after: answer.messages,
    },
  }
}

function refuse(cause: Error, type: string): Beginning {
  const failure = { type, message: cause.message, detail: null, cause }
  return { kind: 'end', ending: { stopReason: 'error', failure, isRefusal: true }, told: [] }
}

/** An answer that came again: nothing is done twice, and whoever asks is told what came of it. */
function repeat(turn: Turn, runId: string): Beginning {
  const told = turn.rows.filter(
    (row) => row.run_id === runId && (row.role === 'assistant' || row.role === 'tool' || row.tool_calls !== null),
  )
  const isPending = findPending(turn.rows) !== undefined
  return {
    kind: 'end',
    ending: { stopReason: isPending ? 'requires_approval' : 'end_turn', failure: null, isRefusal: true },
    told,
  }
}

/** The calls of the run's last step if its results are not all told yet. */
async function findOpenCalls(work: Work, turn: Turn): Promise<Beginning | undefined> {
  const last = turn.rows.at(-1)
  if (last?.role !== 'assistant' || last.run_id !== turn.run.id || last.step_id === null || last.tool_calls === null) {
    return undefined
  }
  return { kind: 'calls', open: { stepId: last.step_id, calls: await loadCalls(work, turn, last) } }
}

async function loadCalls(work: Work, turn: Turn, message: MessageRow): Promise<PendingCall[]> {
  const { run_id: runId, step_id: stepId } = message
  if (runId === null || stepId === null) return []
  const rows = await patiently(work, () => listToolCalls(work.options.db, turn.run.organization_id, runId, stepId))
  return rows.map((row) => ({
    id: row.id,
    created_at: row.created_at.toISOString(),
    tool_call_id: row.tool_call_id,
    name: row.tool_name,
    arguments: row.arguments,
    isStarted: row.state === 'started',
    result: row.result as ToolReturn | null,
  }))
}
