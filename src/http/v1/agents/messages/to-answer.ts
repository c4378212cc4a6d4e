import { unprocessable } from '#platform/errors.ts'
import { newOrderedId } from '#platform/ids.ts'
import type { Approval, NewMessage } from '#store/messages/message-row.ts'
import type { RunAnswer } from '#store/runs/run-row.ts'
import type { InputMessage, ToolReturnItem } from './message-request-schema.ts'
import { toParts } from './to-parts.ts'

/** True for an item that answers a request; the older form may say so by its fields alone. */
export const isAnswer = (item: InputMessage): boolean =>
  item.type === 'approval' ||
  item.type === 'tool_return' ||
  (item.type == null && (item.approve != null || item.approval_request_id != null || item.approvals != null))

function toReturn(item: ToolReturnItem): Approval {
  const { tool_call_id, tool_return: given, status, stdout, stderr } = item
  return {
    type: 'tool',
    tool_call_id,
    tool_return: typeof given === 'string' ? given : toParts(given),
    status,
    stdout: stdout ?? null,
    stderr: stderr ?? null,
  }
}

function toApprovals(item: InputMessage): Approval[] {
  const decided = (item.approvals ?? []).map((entry): Approval => {
    if ('tool_return' in entry) return toReturn(entry)
    const { tool_call_id, approve, reason } = entry
    return { type: 'approval', tool_call_id, approve, reason: reason ?? null }
  })
  return [...decided, ...(item.tool_returns ?? []).map(toReturn)]
}

/** The answer in a request; undefined where it has none. Throws unprocessable for one that says nothing. */
export function toAnswer(items: readonly InputMessage[]): Omit<RunAnswer, 'messages'> | undefined {
  const answers = items.filter(isAnswer)
  const [first] = answers
  if (first === undefined) return undefined
  const approvals = answers.flatMap(toApprovals)
  const identity = { messageId: newOrderedId('message'), otid: first.otid ?? null }
  if (approvals.length > 0) return { ...identity, approvals }
  if (first.approve == null) {
    throw unprocessable('body.messages: an approval needs `approvals`, `tool_returns`, or `approve`')
  }
  const { approval_request_id: requestId = null, approve, reason = null } = first
  return { ...identity, approvals: null, blanket: { requestId, approve, reason } }
}

/** The answer as a message, for telling one request from another. */
export const asMessage = ({ messageId, otid, approvals, blanket }: Omit<RunAnswer, 'messages'>): NewMessage => ({
  id: messageId,
  role: 'approval',
  content: [{ type: 'text', text: JSON.stringify(approvals ?? blanket) }],
  otid,
  search_text: null,
})
