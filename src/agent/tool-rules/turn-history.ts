import type { MessageRow, ToolReturn } from '#store/messages/message-row.ts'
import type { PastCall } from './tool-rule.ts'

/** Calls that were refused for a rule have not happened. */
export const toPastCalls = (results: readonly ToolReturn[]): PastCall[] =>
  results.filter((result) => result.is_violation !== true).map(({ name, text }) => ({ name, output: text }))

/** The calls of a turn, from its stored messages alone: whoever takes the run over knows the same. */
export const turnHistory = (rows: readonly MessageRow[]): PastCall[] =>
  rows.flatMap((row) => (row.role === 'tool' ? toPastCalls(row.tool_returns ?? []) : []))
