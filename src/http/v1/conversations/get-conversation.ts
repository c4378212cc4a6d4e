import { conversationNotFound } from '#agent/get-thread.ts'
import { findConversation } from '#store/conversations/conversation-reader.ts'
import type { ConversationRow } from '#store/conversations/conversation-row.ts'
import type { Queryable } from '#store/db.ts'

/** Throws not_found. */
export async function getConversation(db: Queryable, organizationId: string, id: string): Promise<ConversationRow> {
  const row = await findConversation(db, organizationId, id)
  if (row === undefined) throw conversationNotFound(id)
  return row
}
