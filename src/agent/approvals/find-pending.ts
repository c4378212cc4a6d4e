import type { MessageRow } from '#store/messages/message-row.ts'

/** True for a message that asks a person, or the client, about calls. */
export const isRequest = (row: MessageRow): boolean => row.role === 'approval' && row.tool_calls !== null

/** What can stand behind a request that still waits: answers whose runs came to nothing, and what nobody said. */
const WAITING_ROLES = new Set<MessageRow['role']>(['approval', 'note', 'summary', 'system'])

/**
 * The request whose calls have no results yet; undefined where nothing waits. An answer alone does not settle it: its results do, and
 * so does whatever is said after it, as in a copy of the thread.
 */
export function findPending(rows: readonly MessageRow[]): MessageRow | undefined {
  const at = rows.findLastIndex(isRequest)
  return rows.slice(at + 1).every((row) => WAITING_ROLES.has(row.role)) ? rows[at] : undefined
}

/**
 * Where the turn of a run begins: with its first message, or, where it answers a request, with that of the run that asked, which
 * may have answered one itself. The end of the rows where the run has no message yet.
 */
export function findTurnStart(rows: readonly MessageRow[], run: { id: string; request: { answer?: object } }): number {
  // a summary is of its run, but stands before everything
  const own = rows.findIndex((row) => row.run_id === run.id && row.role !== 'summary')
  let start = own < 0 ? rows.length : own
  let isAnswer = run.request.answer !== undefined
  while (isAnswer) {
    const request = rows.slice(0, start).findLast(isRequest)
    const first = rows.findIndex(
      (row) => row.run_id !== null && row.run_id === request?.run_id && row.role !== 'summary',
    )
    if (first < 0 || first >= start) return start
    start = first
    isAnswer = rows[first]?.role === 'approval' || rows[first]?.role === 'tool'
  }
  return start
}
