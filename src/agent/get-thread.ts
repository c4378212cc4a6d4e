import { type DomainError, notFound } from '#platform/errors.ts'
import { agentNotFound } from '#store/agents/require-agent.ts'
import { findThreadId, type ThreadId } from '#store/conversations/conversation-reader.ts'
import { findThread, type ThreadRow } from '#store/conversations/load-thread.ts'
import type { Queryable } from '#store/db.ts'
import type { NewRun } from '#store/runs/start-run.ts'

export const conversationNotFound = (id: string): DomainError =>
  notFound(`Conversation not found: there is no conversation with the id ${id}.`)

export const threadNotFound = (thread: NewRun['thread']): DomainError =>
  'agentId' in thread ? agentNotFound(thread.agentId) : conversationNotFound(thread.conversationId)

/** The thread that a path names. Throws not_found. */
export async function getThreadId(db: Queryable, organizationId: string, thread: NewRun['thread']): Promise<ThreadId> {
  const found = await findThreadId(db, organizationId, thread)
  if (found === undefined) throw threadNotFound(thread)
  return found
}

/** An agent in the thread that a path names. Throws not_found. */
export async function getThread(db: Queryable, organizationId: string, thread: NewRun['thread']): Promise<ThreadRow> {
  const { id } = await getThreadId(db, organizationId, thread)
  const found = await findThread(db, organizationId, id)
  if (found === undefined) throw threadNotFound(thread)
  return found
}
