import { conflict, type DomainError, invalidArgument } from '#platform/errors.ts'
import type { Approval, MessageRow } from '#store/messages/message-row.ts'
import type { RunAnswer } from '#store/runs/run-row.ts'
import { findPending, isRequest } from './find-pending.ts'

/** An answer is taken for one that came before when it is the same as one of so many messages. */
const DUPLICATE_WINDOW = 10
const CANCEL_REASON = 'The user cancelled the request, so the tool call was denied.'

/** What a run that answers finds: its request, the run that has had the same answer, or why it cannot be taken. */
export type ReadAnswer =
  | { kind: 'answer'; request: MessageRow; approvals: Approval[] }
  | { kind: 'duplicate'; runId: string }
  | { kind: 'refused'; error: DomainError }

export const NOTHING_PENDING =
  'Cannot process approval response: No tool call is currently awaiting approval. Please send a regular message to interact with the agent.'

/** What a message is answered with while a request waits. */
export function pendingApproval(requestId: string | null): DomainError {
  const message =
    'CONFLICT: Cannot send a new message: The agent is waiting for approval on a tool call. Please approve or deny the pending request before continuing.'
  return conflict(message, {
    detail: { code: 'PENDING_APPROVAL', message, pending_request_id: requestId },
    canRetry: false,
  })
}

/** Matches an answer with the request that waits in the thread. Pure. */
export function readAnswer(rows: readonly MessageRow[], answer: RunAnswer): ReadAnswer {
  const request = findPending(rows)
  const given = answer.approvals ?? undefined
  const duplicate = given === undefined ? undefined : findDuplicate(rows, given)
  if (request === undefined) {
    return duplicate !== undefined
      ? { kind: 'duplicate', runId: duplicate }
      : { kind: 'refused', error: invalidArgument(NOTHING_PENDING) }
  }
  const wanted = (request.tool_calls ?? []).map((call) => call.tool_call_id)
  if (given === undefined) return readBlanket(request, wanted, answer)
  const received = given.map((approval) => approval.tool_call_id)
  if (isSameSet(wanted, received)) return { kind: 'answer', request, approvals: given }
  if (duplicate !== undefined) return { kind: 'duplicate', runId: duplicate }
  const error = invalidArgument(
    `Invalid tool call IDs. Expected '${listed(wanted)}', but received '${listed(received)}'.`,
  )
  return { kind: 'refused', error }
}

/** The older form, one decision for all the calls of a request, and a cancellation, which denies them. */
function readBlanket(request: MessageRow, wanted: readonly string[], answer: RunAnswer): ReadAnswer {
  const {
    requestId,
    approve = false,
    reason = null,
  } = answer.isCancel ? { reason: CANCEL_REASON } : (answer.blanket ?? {})
  if (requestId != null && requestId !== request.id && !wanted.includes(requestId)) {
    const error = invalidArgument(`Invalid approval request ID. Expected '${request.id}' but received '${requestId}'.`)
    return { kind: 'refused', error }
  }
  const approvals = wanted.map((id): Approval => ({ type: 'approval', tool_call_id: id, approve, reason }))
  return { kind: 'answer', request, approvals }
}

/** As Python writes a list of strings, which clients of V1 have seen. */
const listed = (ids: readonly string[]): string => `[${ids.map((id) => `'${id}'`).join(', ')}]`

const isSameSet = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && [...one].sort().join('\n') === [...other].sort().join('\n')

/** The run that had the very same answer a few messages ago. */
function findDuplicate(rows: readonly MessageRow[], given: readonly Approval[]): string | undefined {
  const key = keyOf(given)
  const found = rows
    .filter((row) => row.role !== 'note')
    .slice(-DUPLICATE_WINDOW)
    .findLast((row) => !isRequest(row) && row.approvals !== null && keyOf(row.approvals) === key)
  return found?.run_id ?? undefined
}

const keyOf = (approvals: readonly Approval[]): string =>
  approvals
    .map((approval) =>
      JSON.stringify([
        approval.type,
        approval.tool_call_id,
        approval.type === 'approval' ? approval.approve : [approval.status, approval.tool_return],
      ]),
    )
    .sort()
    .join('\n')
