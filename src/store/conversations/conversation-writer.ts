import { sql } from 'kysely'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import { type Queryable, statement } from '#store/db.ts'
import { NEW_MESSAGE_COLUMNS, type NewMessage, newMessageRows } from '#store/messages/message-row.ts'
import type { ConversationsTable } from '#store/tables.ts'
import type { PromptMetadata } from './prompt-metadata.ts'

/** What a client says of a conversation. */
export type ConversationFields = Pick<
  ConversationsTable,
  | 'summary'
  | 'description'
  | 'model'
  | 'model_settings'
  | 'context_window_limit'
  | 'hidden'
  | 'archived_at'
  | 'last_message_at'
>

export interface NewConversation {
  organizationId: string
  id: string
  agentId: string
  fields: Pick<
    ConversationFields,
    'summary' | 'description' | 'model' | 'model_settings' | 'context_window_limit' | 'hidden'
  >
  systemMessage: NewMessage
  systemPrompt: string
  promptMetadata: PromptMetadata
  /** Where its context begins, for a fork: with what it shares. */
  context?: { startSeq: number; startAt: Date }
  /** Blocks of its own, which exist already, and which ones of the agent's they stand for. */
  blocks: { block_id: string; label: string; replaces_block_id: string }[]
  createdById: string
}

const INSERT = statement(
  'insert-conversation',
  `with thread as (
    insert into conversations (organization_id, id, agent_id, summary, description, model, model_settings, context_window_limit,
      hidden, system_message_id, system_message_created_at, system_prompt, prompt_metadata, context_start_seq, context_start_at,
      created_by_id, last_updated_by_id)
    select $1, $2, a.id, n.summary, n.description, n.model, n.model_settings, n.context_window_limit, n.hidden,
      $5::jsonb -> 0 ->> 'id', now(), $6, $7::jsonb, coalesce($8, 0), coalesce($9, now()), $11, $11
    from agents as a cross join jsonb_to_record($4::jsonb) as n (summary text, description text, model text, model_settings jsonb,
      context_window_limit integer, hidden boolean)
    where a.organization_id = $1 and a.id = $3
    returning id, agent_id
  ), own as (
    insert into conversation_blocks (organization_id, conversation_id, block_id, label, replaces_block_id, attached_at)
    select $1, thread.id, n.block_id, n.label, ab.block_id, ab.attached_at
    from thread cross join jsonb_to_recordset($10::jsonb) as n (block_id text, label text, replaces_block_id text)
    join agent_blocks as ab on ab.organization_id = $1 and ab.agent_id = thread.agent_id and ab.block_id = n.replaces_block_id
    returning block_id
  ), said as (
    insert into messages (${NEW_MESSAGE_COLUMNS})
    ${newMessageRows({ from: 'thread', json: '$5::jsonb', organizationId: '$1', agentId: 'thread.agent_id', conversationId: 'thread.id', runId: 'null::text' })}
  )
  select thread.id, (select count(*) from own)::integer as block_count from thread`,
)

/** With how many blocks of its own it was stored: fewer where the agent has lost some. Undefined where the agent is gone. */
export async function insertConversation(
  db: Queryable,
  given: NewConversation,
): Promise<{ block_count: number } | undefined> {
  const [row] = await db.query<{ block_count: number }>(INSERT, [
    given.organizationId,
    given.id,
    given.agentId,
    JSON.stringify(given.fields),
    JSON.stringify([given.systemMessage]),
    given.systemPrompt,
    JSON.stringify(given.promptMetadata),
    given.context?.startSeq ?? null,
    given.context?.startAt ?? null,
    JSON.stringify(given.blocks),
    given.createdById,
  ])
  return row
}

const COLUMNS: readonly (keyof ConversationFields)[] = [
  'summary',
  'description',
  'model',
  'model_settings',
  'context_window_limit',
  'archived_at',
  'last_message_at',
]

/** Sets the columns that are given (undefined is not), and who changed it when. False where there is no such conversation. */
export async function updateConversation(
  db: Queryable,
  organizationId: string,
  id: string,
  changes: { [Column in keyof ConversationFields]?: ConversationFields[Column] | undefined },
  updatedById: string,
): Promise<boolean> {
  const assignments = COLUMNS.filter((column) => changes[column] !== undefined).map((column) => {
    const value = changes[column]
    return column === 'model_settings' && value !== null
      ? sql`${sql.ref(column)} = ${JSON.stringify(value)}::jsonb`
      : sql`${sql.ref(column)} = ${value}`
  })
  const query = sql`update conversations set ${sql.join([...assignments, sql`updated_at = now()`, sql`last_updated_by_id = ${updatedById}`])}
    where organization_id = ${organizationId} and id = ${id} and not is_default and deleted_at is null returning id`
  return (await db.query(...toStatement('update-conversation', query.compile(sqlBuilder)))).length > 0
}
