import { MESSAGE_COLUMNS } from './message-row.ts'

/** All arguments are SQL; `where` is about a message `m`. */
interface SharedMessagesSource {
  organizationId: string
  conversationId: string
  where: string
  order: 'asc' | 'desc'
  limit: string
}

/**
 * The messages that a fork shares with the thread that it comes from, as a select in parentheses. The limit inside makes each range a
 * scan of `messages_by_conversation`; a conversation that is no fork pays one look into an index.
 */
export const sharedMessages = (source: SharedMessagesSource): string => `(
  select shared.* from conversation_shares as s
  cross join lateral (
    select ${MESSAGE_COLUMNS} from messages as m
    where m.organization_id = ${source.organizationId} and m.conversation_id = s.source_id
      and m.seq between s.from_seq and s.to_seq and ${source.where}
    order by m.seq ${source.order} limit ${source.limit}) as shared
  where s.organization_id = ${source.organizationId} and s.conversation_id = ${source.conversationId})`
