import { type RawBuilder, sql } from 'kysely'
import { MESSAGE_COLUMNS, type MessageRow } from './message-row.ts'

/** A message with the conversation that clients know it by: null for a default one. */
export interface PlacedMessage extends MessageRow {
  shown_conversation_id: string | null
}

export const PLACED_MESSAGE_COLUMNS = `${MESSAGE_COLUMNS},
  (select c.id from conversations as c
    where c.organization_id = m.organization_id and c.id = m.conversation_id and not c.is_default) as shown_conversation_id`

/** The messages `m` of a conversation, those that a fork shares included; `default` means the default conversations of all agents. */
export const inConversation = (organizationId: string, conversationId: string): RawBuilder<unknown> =>
  conversationId === 'default'
    ? sql`exists (select from conversations as d
        where d.organization_id = ${organizationId} and d.id = m.conversation_id and d.is_default)`
    : sql`(m.conversation_id = ${conversationId} or exists (select from conversation_shares as s
        where s.organization_id = ${organizationId} and s.conversation_id = ${conversationId}
          and s.source_id = m.conversation_id and m.seq between s.from_seq and s.to_seq))`
