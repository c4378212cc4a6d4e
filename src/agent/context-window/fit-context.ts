import { estimateTokens } from '#llm/estimate-tokens.ts'
import type { MessageRow } from '#store/messages/message-row.ts'

/** Images are counted by a flat figure: providers scale them to about this many tokens. */
const IMAGE_TOKENS = 1_100
/** Tokens of role, separators and ids around each message. */
const MESSAGE_OVERHEAD_TOKENS = 8
/** No text is shortened to fewer characters than this. */
const SHORTEST_CUT = 400

/** Estimated tokens of one stored message. */
export function estimateRow(row: MessageRow): number {
  let tokens = MESSAGE_OVERHEAD_TOKENS
  for (const part of row.content) {
    if (part.type === 'text') tokens += estimateTokens(part.text)
    else if (part.type === 'reasoning') tokens += estimateTokens(part.reasoning)
    else if (part.type === 'redacted_reasoning') tokens += Math.ceil(part.data.length / 4)
    else tokens += IMAGE_TOKENS
  }
  for (const call of row.tool_calls ?? []) tokens += estimateTokens(call.name) + estimateTokens(call.arguments) + 12
  for (const result of row.tool_returns ?? []) tokens += estimateTokens(result.text) + 40
  return tokens
}

export interface FitInput {
  rows: readonly MessageRow[]
  /** Estimated tokens of each row. */
  tokens: readonly number[]
  /** Tokens that the rows may have together. */
  limitTokens: number
}

export interface FitResult {
  /** The rows, with texts shortened where they would be too long. */
  rows: MessageRow[]
  tokens: number
}

/**
 * Makes rows fit of which none can leave: their longest texts are shortened in what the model reads (never in what is stored). So no
 * length can make an agent unusable.
 */
export function fitContext({ rows, tokens, limitTokens }: FitInput): FitResult {
  const total = tokens.reduce((sum, count) => sum + count, 0)
  if (total <= limitTokens) return { rows: [...rows], tokens: total }
  return shortenTexts(rows, Math.max(limitTokens, 0))
}

function shortenTexts(rows: readonly MessageRow[], budgetTokens: number): { rows: MessageRow[]; tokens: number } {
  let limit = Math.max(...rows.flatMap(textLengths), SHORTEST_CUT)
  for (;;) {
    limit = Math.max(Math.floor(limit / 2), SHORTEST_CUT)
    const shortened = rows.map((row) => shortenRow(row, limit))
    const tokens = shortened.reduce((sum, row) => sum + estimateRow(row), 0)
    if (tokens <= budgetTokens || limit === SHORTEST_CUT) return { rows: shortened, tokens }
  }
}

const textLengths = (row: MessageRow): number[] => [
  ...row.content.map((part) => (part.type === 'text' ? part.text.length : 0)),
  ...(row.tool_returns ?? []).map((result) => result.text.length),
]

/** Beginning and end carry most of what a text is about. */
function shorten(text: string, limit: number): string {
  if (text.length <= limit) return text
  const head = text.slice(0, Math.ceil(limit * 0.7)).toWellFormed()
  const tail = text.slice(text.length - Math.floor(limit * 0.3)).toWellFormed()
  return `${head}\n[… ${text.length - limit} characters left out, since the message is longer than the context window …]\n${tail}`
}

function shortenRow(row: MessageRow, limit: number): MessageRow {
  return {
    ...row,
    content: row.content.map((part) => (part.type === 'text' ? { ...part, text: shorten(part.text, limit) } : part)),
    tool_returns: row.tool_returns?.map((result) => ({ ...result, text: shorten(result.text, limit) })) ?? null,
  }
}
