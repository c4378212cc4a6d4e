import { ModelError, type ModelRequest } from '#llm/model.ts'
import type { MessageRow } from '#store/messages/message-row.ts'
import { makeRoom } from './context-window/compact-turn.ts'
import { contextTokens, rowLimit } from './context-window/context-limits.ts'
import { fitContext } from './context-window/fit-context.ts'
import type { Turn } from './open-turn.ts'
import { type StepReply, streamReply, toHearing } from './run-step.ts'
import { toTurnTranscript } from './transcript.ts'
import type { Work } from './work.ts'

/** How often a prompt that the provider finds too long is made shorter before the run fails. */
const MAX_OVERFLOW_RETRIES = 3
/** What the next attempt may have of the tokens that were too many. */
const OVERFLOW_SHARE = 0.6

/**
 * Calls the model with a context that fits: compacted when it is nearly full, also when the provider counts more tokens than our
 * estimate, and with texts shortened where the turn alone is too long.
 */
export async function askModel(work: Work, turn: Turn): Promise<StepReply> {
  const { signal, emit } = work.context
  for (let overflows = 0; ; overflows += 1) {
    await makeRoom(work, turn, overflows === 0 ? 'post_step_context_check' : 'context_window_exceeded')
    if (signal.aborted) throw new ModelError('aborted', 'The model was not asked: the run was given up before.')
    const fit = fitContext({ rows: turn.rows, tokens: turn.rowTokens, limitTokens: rowLimit(turn) })
    try {
      const request = toModelRequest(turn, fit.rows, signal)
      if (work.options.traces !== undefined) {
        request.trace = {}
        turn.lastRequest = request
      }
      turn.isAsking = true
      const said = await streamReply(turn.model, request, emit, toHearing(turn))
      turn.isAsking = false
      turn.tokenRatio = work.options.tokenRatios.note(turn.model.info.handle, turn.run.conversation_id, {
        estimated: turn.fixedTokens + fit.tokens,
        counted: said.reply.usage.inputTokens,
      })
      return said
    } catch (error) {
      const isOverflow = error instanceof ModelError && error.kind === 'context_window_exceeded'
      if (!isOverflow || overflows >= MAX_OVERFLOW_RETRIES) throw error
      turn.isAsking = false
      turn.budgetTokens = Math.floor(Math.min(turn.budgetTokens, contextTokens(turn)) * OVERFLOW_SHARE)
    }
  }
}

/** What the model is asked in a turn whose context is `rows`. */
export function toModelRequest(turn: Turn, rows: readonly MessageRow[], signal: AbortSignal): ModelRequest {
  return {
    messages: [{ role: 'system', text: turn.systemPrompt }, ...toTurnTranscript(rows, turn)],
    tools: turn.offer.tools,
    toolChoice: turn.offer.toolChoice,
    settings: turn.settings,
    signal,
  }
}
