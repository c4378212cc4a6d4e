import { presentTime } from '#http/wire/nullable.ts'
import type { ConversationRow } from '#store/conversations/conversation-row.ts'
import type { ConversationWire } from './conversation-schema.ts'

/** A stored conversation as the wire shows it. */
export function presentConversation(row: ConversationRow): ConversationWire {
  return {
    id: row.id,
    agent_id: row.agent_id,
    summary: row.summary,
    description: row.description,
    in_context_message_ids: row.in_context_message_ids,
    isolated_block_ids: row.isolated_block_ids,
    model: row.model,
    model_settings: row.model_settings,
    context_window_limit: row.context_window_limit,
    archived: row.archived_at !== null,
    archived_at: presentTime(row.archived_at),
    last_message_at: presentTime(row.last_message_at),
    created_at: presentTime(row.created_at),
    updated_at: presentTime(row.updated_at),
    created_by_id: row.created_by_id,
    last_updated_by_id: row.last_updated_by_id,
  }
}
