import type { ModelInfo, ModelSettings } from '#llm/model.ts'
import { MAX_CONTEXT_MESSAGES } from '#store/messages/message-reader.ts'

/** A context is compacted when it fills more than this part of its window. */
const FULL = 0.9
/** Part of the model's window that is kept free for the reply when the model's own limit is larger. */
const MAX_REPLY_SHARE = 0.25
/** Tokens kept free for the reply of a model whose limit is not known. */
const DEFAULT_REPLY_TOKENS = 4_096
/** A summary fills at most this part of the window… */
const SUMMARY_SHARE = 0.1
const MIN_SUMMARY_TOKENS = 200
/** …and is expected to need no more than this. */
const USUAL_SUMMARY_TOKENS = 1_000

/** Tokens that a prompt may have: the agent's window, and beside the prompt the reply must go into the model's. */
export function budgetOf(window: number, settings: ModelSettings, info: ModelInfo): number {
  const reply = settings.max_output_tokens ?? info.maxOutputTokens ?? DEFAULT_REPLY_TOKENS
  return Math.min(window, info.contextWindow - Math.min(reply, Math.floor(info.contextWindow * MAX_REPLY_SHARE)))
}

/** A context, in estimated tokens. */
export interface ContextSize {
  windowTokens: number
  /** Tokens that a prompt may have, as the provider counts them. */
  budgetTokens: number
  /** What the provider counts for one of our tokens. */
  tokenRatio: number
  /** Of system message and tool definitions. */
  fixedTokens: number
  rowTokens: readonly number[]
}

/** Tokens of all that a request would carry, as the provider would count them, as far as we know. */
export const contextTokens = ({ tokenRatio, fixedTokens, rowTokens }: ContextSize): number =>
  Math.ceil(tokenRatio * rowTokens.reduce((sum, tokens) => sum + tokens, fixedTokens))

const fullAt = ({ windowTokens, budgetTokens }: ContextSize): number => Math.min(windowTokens * FULL, budgetTokens)

/** Estimated tokens that the rows may have together before the context is too full. */
export const rowLimit = (size: ContextSize): number => Math.floor(fullAt(size) / size.tokenRatio) - size.fixedTokens

/** Too full for the next call; more messages than are read at once are too many as well. */
export const isTooFull = (size: ContextSize): boolean =>
  contextTokens(size) > fullAt(size) || size.rowTokens.length > MAX_CONTEXT_MESSAGES * FULL

/** Estimated tokens that rows which stay may have, and that a summary may have. */
export function compactionTargets(
  size: ContextSize,
  percentage: number,
): { targetTokens: number; maxSummaryTokens: number } {
  const { tokenRatio, fixedTokens, windowTokens, budgetTokens } = size
  const room = Math.min(windowTokens, budgetTokens) / tokenRatio
  const maxSummaryTokens = Math.max(Math.floor(room * SUMMARY_SHARE), MIN_SUMMARY_TOKENS)
  const targetTokens =
    Math.floor(room * (1 - percentage)) - fixedTokens - Math.min(maxSummaryTokens, USUAL_SUMMARY_TOKENS)
  return { targetTokens, maxSummaryTokens }
}
