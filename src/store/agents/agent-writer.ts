import { sql } from 'kysely'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import { type Queryable, statement } from '#store/db.ts'
import { NEW_MESSAGE_COLUMNS, type NewMessage, newMessageRows } from '#store/messages/message-row.ts'
import { type AgentRow, agentColumns } from './agent-row.ts'
import { attachedAt } from './attached-at.ts'

/** Columns that the caller gives; the others are the database's, or belong to the loop. */
export type AgentToInsert = Omit<
  AgentRow,
  | 'created_by_id'
  | 'last_updated_by_id'
  | 'last_run_completion'
  | 'last_run_duration_ms'
  | 'last_stop_reason'
  | 'created_at'
  | 'updated_at'
>

/** An agent with all that comes into being with it. Blocks and tools exist already. */
export interface NewAgent {
  organizationId: string
  agent: AgentToInsert
  tags: readonly string[]
  /** In the order in which they are shown. */
  blockIds: readonly string[]
  toolIds: readonly string[]
  conversationId: string
  /** The first is the system message. */
  messages: readonly [NewMessage, ...NewMessage[]]
  systemPrompt: string
  promptMetadata: object
  createdById: string
}

const GIVEN_COLUMNS =
  'id, project_id, name, agent_type, description, system, model, embedding, model_settings, context_window_limit, compaction_settings, response_format, tool_rules, metadata, memory_variables, timezone, message_buffer_autoclear, enable_sleeptime, max_files_open, per_file_view_window_char_limit, hidden, template_id, base_template_id, deployment_id, entity_id'

const INSERT_AGENT = statement(
  'insert-agent',
  `with agent as (
    insert into agents as a (organization_id, ${GIVEN_COLUMNS}, created_by_id, last_updated_by_id)
    select $1, ${GIVEN_COLUMNS}, $3, $3
    from jsonb_to_record($2::jsonb) as n (id text, project_id text, name text, agent_type text, description text, system text,
      model text, embedding text, model_settings jsonb, context_window_limit integer, compaction_settings jsonb,
      response_format jsonb, tool_rules jsonb, metadata jsonb, memory_variables jsonb, timezone text, message_buffer_autoclear boolean,
      enable_sleeptime boolean, max_files_open integer, per_file_view_window_char_limit integer, hidden boolean,
      template_id text, base_template_id text, deployment_id text, entity_id text)
    returning ${agentColumns('a')}
  ), tagged as (
    insert into agent_tags (organization_id, agent_id, tag)
    select distinct $1, agent.id, tag from agent cross join unnest($4::text[]) as tag
  ), remembers as (
    insert into agent_blocks (organization_id, agent_id, block_id, label, attached_at)
    select $1, agent.id, b.id, b.label, ${attachedAt('given.position')} from agent
    cross join unnest($5::text[]) with ordinality as given (id, position)
    join blocks as b on b.organization_id = $1 and b.id = given.id
  ), can as (
    insert into agent_tools (organization_id, agent_id, tool_id, attached_at)
    select $1, agent.id, given.id, ${attachedAt('given.position')} from agent
    cross join unnest($6::text[]) with ordinality as given (id, position)
  ), thread as (
    insert into conversations (organization_id, id, agent_id, is_default, system_message_id, system_message_created_at,
      system_prompt, prompt_metadata, message_count, created_by_id, last_updated_by_id)
    select $1, $7, agent.id, true, $8::jsonb -> 0 ->> 'id', now(), $9, $10::jsonb, jsonb_array_length($8::jsonb), $3, $3
    from agent
    returning id, agent_id
  ), said as (
    insert into messages (${NEW_MESSAGE_COLUMNS})
    ${newMessageRows({ from: 'thread', json: '$8::jsonb', organizationId: '$1', agentId: 'thread.agent_id', conversationId: 'thread.id', runId: 'null::text' })}
  )
  select * from agent`,
)

/** Stores everything in one statement. Throws a unique violation when two of the blocks have one label. */
export async function insertAgent(db: Queryable, given: NewAgent): Promise<AgentRow> {
  const [row] = await db.query<AgentRow>(INSERT_AGENT, [
    given.organizationId,
    JSON.stringify(given.agent),
    given.createdById,
    given.tags,
    given.blockIds,
    given.toolIds,
    given.conversationId,
    JSON.stringify(given.messages),
    given.systemPrompt,
    JSON.stringify(given.promptMetadata),
  ])
  if (row === undefined) throw new Error('insert-agent returned no row')
  return row
}

const LOCK_AGENT = statement(
  'lock-agent',
  `select ${agentColumns('a')} from agents as a where a.organization_id = $1 and a.id = $2 for update`,
)

/** The agent's row, locked until the end of the transaction; undefined where there is none. */
export async function lockAgent(tx: Queryable, organizationId: string, id: string): Promise<AgentRow | undefined> {
  const [row] = await tx.query<AgentRow>(LOCK_AGENT, [organizationId, id])
  return row
}

/** Columns that are stored as JSON. */
const JSON_COLUMNS = new Set(['model_settings', 'compaction_settings', 'response_format', 'tool_rules', 'metadata'])

/** Sets the columns that are given (undefined is not), and who changed the agent when. */
export async function updateAgent(
  db: Queryable,
  organizationId: string,
  id: string,
  changes: { [Column in keyof AgentRow]?: AgentRow[Column] | undefined },
  updatedById: string,
): Promise<void> {
  const assignments = Object.entries(changes)
    .filter(([, value]) => value !== undefined)
    .map(([column, value]) => {
      const stored = JSON_COLUMNS.has(column) && value !== null ? JSON.stringify(value) : value
      return JSON_COLUMNS.has(column) ? sql`${sql.ref(column)} = ${stored}::jsonb` : sql`${sql.ref(column)} = ${stored}`
    })
  const query = sql`update agents set ${sql.join([...assignments, sql`updated_at = now()`, sql`last_updated_by_id = ${updatedById}`])}
    where organization_id = ${organizationId} and id = ${id}`
  await db.query(...toStatement('update-agent', query.compile(sqlBuilder)))
}

const SET_TAGS = statement(
  'set-agent-tags',
  `with removed as (
    delete from agent_tags as t where t.organization_id = $1 and t.agent_id = $2 and t.tag <> all($3::text[])
  )
  insert into agent_tags (organization_id, agent_id, tag) select distinct $1, $2, tag from unnest($3::text[]) as tag
  on conflict do nothing`,
)

export async function setAgentTags(
  db: Queryable,
  organizationId: string,
  agentId: string,
  tags: readonly string[],
): Promise<void> {
  await db.query(SET_TAGS, [organizationId, agentId, tags])
}

// with the blocks that belong to its conversations alone
const DELETE_AGENT = statement(
  'delete-agent',
  `with own as (
    delete from blocks as b using conversations as c, conversation_blocks as cb
    where c.organization_id = $1 and c.agent_id = $2 and cb.organization_id = $1 and cb.conversation_id = c.id
      and b.organization_id = $1 and b.id = cb.block_id
  )
  delete from agents where organization_id = $1 and id = $2 returning id`,
)

/** Deletes the agent, its threads and its runs; waits for a commit of the loop that is under way. False where there is none. */
export async function deleteAgent(tx: Queryable, organizationId: string, id: string): Promise<boolean> {
  const rows = await tx.query(DELETE_AGENT, [organizationId, id])
  return rows.length > 0
}

// no foreign keys lead to these; tool calls are found by the runs of the steps, for which there is an index
const DELETE_HISTORY = statement(
  'delete-agent-history',
  `with gone as (
    delete from steps as s where s.organization_id = $1 and s.agent_id = $2 returning s.id, s.run_id
  ), traces as (
    delete from provider_traces as p where p.organization_id = $1 and p.step_id in (select gone.id from gone)
  ), calls as (
    delete from tool_calls as t where t.organization_id = $1 and t.run_id in (select gone.run_id from gone)
  )
  delete from messages as m where m.organization_id = $1 and m.agent_id = $2`,
)

/** Messages, steps, tool calls and provider traces of an agent that is deleted already, so that its loop can add none. */
export async function deleteAgentHistory(tx: Queryable, organizationId: string, agentId: string): Promise<void> {
  await tx.query(DELETE_HISTORY, [organizationId, agentId])
}
