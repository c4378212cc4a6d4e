import { ModelError } from '#llm/model.ts'
import { trimContext } from '#store/conversations/save-prompt.ts'
import { type FitResult, fitContext } from './context-window/fit-context.ts'
import type { Turn } from './open-turn.ts'
import { type StepReply, streamReply, toHearing } from './run-step.ts'
import { toTranscript } from './transcript.ts'
import { patiently, type Work } from './work.ts'

/** How often a prompt that the provider finds too long is cut further before the run fails. */
const MAX_OVERFLOW_RETRIES = 3

/** Calls the model with a context that fits; cuts further when the provider counts more tokens than our estimate. */
export async function askModel(work: Work, turn: Turn): Promise<StepReply> {
  const { signal, emit } = work.context
  for (let overflows = 0; ; overflows += 1) {
    const fit = await fitTurn(work, turn)
    try {
      return await streamReply(
        turn.model,
        {
          messages: [
            { role: 'system', text: turn.systemPrompt },
            ...toTranscript(fit.rows, {
              timezone: turn.thread.timezone,
              maxToolResultChars: Math.max(5_000, Math.floor(turn.budgetTokens * 0.2 * 4)),
              thinksInCalls: turn.additions.thinking.size > 0,
            }),
          ],
          tools: turn.offer.tools,
          toolChoice: turn.offer.toolChoice,
          settings: turn.settings,
          signal,
        },
        emit,
        toHearing(turn),
      )
    } catch (error) {
      const isOverflow = error instanceof ModelError && error.kind === 'context_window_exceeded'
      if (!isOverflow || overflows >= MAX_OVERFLOW_RETRIES) throw error
      turn.budgetTokens = Math.floor(Math.min(turn.budgetTokens, contextTokens(turn)) * 0.6)
    }
  }
}

/** Estimated tokens of all that a request would carry. */
export const contextTokens = (turn: Turn): number =>
  turn.fixedTokens + turn.rowTokens.reduce((sum, tokens) => sum + tokens, 0)

/** Makes the context fit, and lets the thread's context begin later where old turns had to go. */
async function fitTurn(work: Work, turn: Turn): Promise<FitResult> {
  const fit = fitContext({
    rows: turn.rows,
    tokens: turn.rowTokens,
    protectedFrom: turn.firstOwnRow,
    fixedTokens: turn.fixedTokens,
    budgetTokens: turn.budgetTokens,
  })
  const first = turn.rows[fit.start]
  if (fit.start > 0 && first !== undefined) {
    turn.rows.splice(0, fit.start)
    turn.rowTokens.splice(0, fit.start)
    turn.firstOwnRow -= fit.start
    const thread = { organizationId: turn.run.organization_id, conversationId: turn.run.conversation_id }
    await patiently(work, () => trimContext(work.options.db, thread, { seq: first.seq, at: first.created_at }))
  }
  return fit
}
