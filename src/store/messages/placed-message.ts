import { type RawBuilder, sql } from 'kysely'
import { MESSAGE_COLUMNS, type MessageRow } from './message-row.ts'

/** A message with the conversation that clients know it by: null for a default one. */
export interface PlacedMessage extends MessageRow {
  shown_conversation_id: string | null
}

export const PLACED_MESSAGE_COLUMNS = `${MESSAGE_COLUMNS},
  (select c.id from conversations as c
    where c.organization_id = m.organization_id and c.id = m.conversation_id and not c.is_default) as shown_conversation_id`

/** `m.seq` where the messages of all agents are asked for, by the index of migration 0023. */
export const SEQ_OF_ALL = sql`m.seq + 0`

/** The messages of a conversation, those that a fork shares included; `default` means the default conversations of all agents. */
export const inConversation = (
  organizationId: string,
  conversationId: string,
  conversation: RawBuilder<unknown> = sql.ref('m.conversation_id'),
  seq: RawBuilder<unknown> = sql.ref('m.seq'),
): RawBuilder<unknown> =>
  conversationId === 'default'
    ? sql`exists (select from conversations as d
        where d.organization_id = ${organizationId} and d.id = ${conversation} and d.is_default)`
    : sql`(${conversation} = ${conversationId} or exists (select from conversation_shares as shared
        where shared.organization_id = ${organizationId} and shared.conversation_id = ${conversationId}
          and shared.source_id = ${conversation} and ${seq} between shared.from_seq and shared.to_seq))`
