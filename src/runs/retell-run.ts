import type { Queryable } from '#store/db.ts'
import type { MessageRow } from '#store/messages/message-row.ts'
import { findRunEnd } from '#store/runs/find-run-end.ts'
import { listRunMessages } from '#store/runs/run-message-reader.ts'
import { toEndEvent } from './read-run-events.ts'
import type { LoggedEvent } from './run-events.ts'

/** More messages than a run of the most steps has. */
const MAX_MESSAGES = 10_000

const isTold = ({ role, tool_calls }: MessageRow): boolean =>
  role === 'assistant' || role === 'tool' || role === 'summary' || (role === 'approval' && tool_calls !== null)

/** What a run that has ended said and how it ended, from its messages: when its log is not kept any more. */
export async function retellRun(db: Queryable, organizationId: string, runId: string): Promise<LoggedEvent[]> {
  const end = await findRunEnd(db, organizationId, runId)
  if (end === undefined) return [toEndEvent(undefined)]
  const messages = await listRunMessages(db, organizationId, { runId }, { limit: MAX_MESSAGES, order: 'asc' })
  return [
    ...messages.flatMap((message): LoggedEvent[] => (isTold(message) ? [{ type: 'message', message }] : [])),
    toEndEvent(end),
  ]
}
