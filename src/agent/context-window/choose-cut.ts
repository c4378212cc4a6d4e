import type { MessageRow } from '#store/messages/message-row.ts'

export interface CutInput {
  /** Oldest first; the first can be the summary of what came before them. */
  rows: readonly MessageRow[]
  /** Estimated tokens of each row. */
  tokens: readonly number[]
  /** Rows from here on belong to the running turn. */
  firstOwnRow: number
  /** Rows that leave at least, the former summary counted; 1 unless told. */
  leastRows?: number
  /** True: everything leaves that may; false: as little as makes room. */
  takesAll: boolean
  /** Part of the messages that leaves at least, 0 to 1. */
  percentage: number
  /** Estimated tokens that the rows which stay may have. */
  targetTokens: number
}

/** Each further attempt leaves out so much more of the messages. */
const PERCENTAGE_STEP = 0.1

/**
 * Which rows leave the context: those before the index that is given, 0 where none may. Calls stay with their results, and a request
 * for approval that nobody has answered stays with its calls.
 */
export function chooseCut(input: CutInput): number {
  const { rows, tokens, targetTokens } = input
  const end = Math.min(input.firstOwnRow, findOpenCall(rows.slice(0, input.firstOwnRow)))
  const first = rows[0]?.role === 'summary' ? 1 : 0
  const cuts = range(Math.max(first + 1, input.leastRows ?? 1), end).filter(
    (index) => index === rows.length || isBoundary(rows[index] as MessageRow),
  )
  const last = cuts.at(-1)
  if (last === undefined || input.takesAll) return last ?? 0
  const kept = (cut: number): number => tokens.slice(cut).reduce((sum, count) => sum + count, 0)
  for (let share = input.percentage; share < 1; share += PERCENTAGE_STEP) {
    const wanted = first + Math.max(Math.ceil((end - first) * share), 1)
    const cut = cuts.find((index) => index >= wanted)
    if (cut !== undefined && kept(cut) <= targetTokens) return cut
  }
  return last
}

/** A message can be the first that stays unless it belongs to the one before it. */
const isBoundary = ({ role }: MessageRow): boolean => role === 'user' || role === 'assistant' || role === 'system'

const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(to - from + 1, 0) }, (_, index) => from + index)

/** Where the last calls begin of which one has no result yet; behind the last row where all have one. */
function findOpenCall(rows: readonly MessageRow[]): number {
  const at = rows.findLastIndex(
    ({ role, tool_calls }) => role === 'user' || role === 'assistant' || tool_calls !== null,
  )
  const calls = rows[at]?.tool_calls ?? []
  const answered = new Set(
    rows.slice(at + 1).flatMap((row) => (row.tool_returns ?? []).map((result) => result.tool_call_id)),
  )
  if (calls.every((call) => answered.has(call.tool_call_id))) return rows.length
  const before = rows[at - 1]
  const isOneStep = before?.role === 'assistant' && before.step_id !== null && before.step_id === rows[at]?.step_id
  return isOneStep ? at - 1 : at
}
