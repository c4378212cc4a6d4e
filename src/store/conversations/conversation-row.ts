import { sharedMessages } from '#store/messages/shared-messages.ts'
import type { ConversationsTable } from '#store/tables.ts'

/** A conversation as it is shown. */
export interface ConversationRow
  extends Pick<
    ConversationsTable,
    | 'id'
    | 'agent_id'
    | 'is_default'
    | 'summary'
    | 'description'
    | 'model'
    | 'model_settings'
    | 'context_window_limit'
    | 'hidden'
    | 'archived_at'
    | 'last_message_at'
    | 'system_message_id'
    | 'created_by_id'
    | 'last_updated_by_id'
    | 'created_at'
    | 'updated_at'
  > {
  /** The system message, the summary of what has left the context, then the newest messages in context in their order. */
  in_context_message_ids: string[]
  /** Blocks of its own that it sees, in the order of the blocks that they stand for. */
  isolated_block_ids: string[]
}

const COLUMN_NAMES = [
  'id',
  'agent_id',
  'is_default',
  'summary',
  'description',
  'model',
  'model_settings',
  'context_window_limit',
  'hidden',
  'archived_at',
  'last_message_at',
  'system_message_id',
  'created_by_id',
  'last_updated_by_id',
  'created_at',
  'updated_at',
] as const satisfies (keyof ConversationRow)[]

/** More ids than any client looks at; keeps a long thread from filling every answer. */
const MAX_MESSAGE_IDS = 500

/** The columns of `ConversationRow`, qualified by the table's alias in the statement. */
export const conversationColumns = (alias: string): string => {
  const inContext = `m.seq >= ${alias}.context_start_seq and m.created_at >= ${alias}.context_start_at and m.role not in ('note', 'summary')`
  const shared = sharedMessages({
    organizationId: `${alias}.organization_id`,
    conversationId: `${alias}.id`,
    where: inContext,
    order: 'desc',
    limit: `${MAX_MESSAGE_IDS - 2}`,
  })
  return `${COLUMN_NAMES.map((name) => `${alias}.${name}`).join(', ')},
    array[${alias}.system_message_id] || array_remove(array[${alias}.summary_message_id], null) || array(
      select newest.id from (
        (select m.id, m.seq from messages as m
          where m.organization_id = ${alias}.organization_id and m.conversation_id = ${alias}.id and ${inContext}
            and m.id <> ${alias}.system_message_id
          order by m.seq desc limit ${MAX_MESSAGE_IDS - 2})
        union all
        select forked.id, forked.seq from ${shared} as forked
        order by seq desc limit ${MAX_MESSAGE_IDS - 2}
      ) as newest order by newest.seq) as in_context_message_ids,
    array(select cb.block_id from conversation_blocks as cb
      where cb.organization_id = ${alias}.organization_id and cb.conversation_id = ${alias}.id and not cb.is_detached
      order by cb.attached_at, cb.block_id) as isolated_block_ids`
}
