import type { ToolCallPart } from '#llm/model.ts'
import type { ToolReturn } from '#store/messages/message-row.ts'
import type { StopReason } from '#store/runs/run-row.ts'
import type { Engine } from './engines.ts'
import { demandOf, HEARTBEAT } from './heartbeat.ts'
import { asksForHeartbeat } from './inner-thoughts.ts'
import { findUncalled, goesOnAfter, isTerminal } from './tool-rules/solve-tool-rules.ts'
import type { PastCall, ToolRule } from './tool-rules/tool-rule.ts'

/** What comes after a step: another one, where `heartbeat` says why, or the end of the run. */
export type NextMove = { kind: 'step'; heartbeat: string | null } | { kind: 'end'; stopReason: StopReason }

export interface Situation {
  engine: Engine
  rules: readonly ToolRule[]
  /** Calls of the turn, with those of the step. */
  history: readonly PastCall[]
  /** Names of the tools that there are. */
  available: readonly string[]
}

const step = (heartbeat: string | null = null): NextMove => ({ kind: 'step', heartbeat })
const end = (stopReason: StopReason): NextMove => ({ kind: 'end', stopReason })

/** After a step with calls, when all have their results. Pure, so that it is decided anew from the rows after a crash. */
export function moveAfterTools(
  situation: Situation,
  calls: readonly ToolCallPart[],
  results: readonly ToolReturn[],
): NextMove {
  if (results.some((result) => result.is_fatal === true)) return end('invalid_tool_call')
  const move = situation.engine.hasHeartbeats
    ? legacyMove(situation.rules, calls, results)
    : results.some((result) => result.is_violation !== true && isTerminal(situation.rules, result.name))
      ? end('tool_rule')
      : step()
  return unlessDemanded(situation, move)
}

function legacyMove(
  rules: readonly ToolRule[],
  calls: readonly ToolCallPart[],
  results: readonly ToolReturn[],
): NextMove {
  const isAsked = calls.some((call) => asksForHeartbeat(call.arguments))
  if (results.some((result) => result.is_violation === true)) return step(HEARTBEAT.violation)
  if (results.some((result) => isTerminal(rules, result.name) && result.status === 'success')) {
    return end(isAsked ? 'tool_rule' : 'end_turn')
  }
  const goesOn = results.map((result) => goesOnAfter(rules, result.name))
  if (goesOn.includes('child')) return step(HEARTBEAT.child)
  if (results.some((result) => result.status === 'error')) return step(HEARTBEAT.failed)
  if (isAsked) return step(HEARTBEAT.requested)
  return goesOn.includes('continue') ? step(HEARTBEAT.continue) : end('end_turn')
}

/** After an answer without a call. @param isThought the text was not for the user, who has heard nothing */
export function moveAfterText(situation: Situation, isThought: boolean): NextMove {
  return unlessDemanded(situation, end(isThought ? 'no_tool_call' : 'end_turn'))
}

function unlessDemanded({ rules, history, available }: Situation, move: NextMove): NextMove {
  if (move.kind === 'step') return move
  const uncalled = findUncalled(rules, history, available)
  return uncalled.length > 0 ? step(demandOf(uncalled)) : move
}
