import { applyFileViews, type FileView } from '#store/agents/agent-file-writer.ts'
import type { Queryable } from '#store/db.ts'
import { NEW_MESSAGE_COLUMNS, type NewMessage, newMessageRows, type ToolReturn } from '#store/messages/message-row.ts'
import { ON_SAME_FACT } from '#store/passages/passage-row.ts'
import { type EventBatch, loggedEvents } from '#store/run-events/event-batch.ts'
import type { Lease } from '#store/runs/run-row.ts'
import { statementVariants } from '#store/statement-variants.ts'

type Part = 'edits' | 'new-blocks' | 'detached' | 'passages' | 'file-views' | 'message' | 'events'

const EDITED = `, edited as (
  update blocks as b set value = e.value, label = e.label, description = e.description, version = b.version + 1,
    updated_at = now(), last_updated_by_id = :agent
  from call cross join jsonb_to_recordset(:edits::jsonb) as e (id text, expected_version integer, label text, value text, description text)
  where b.organization_id = :organization and b.id = e.id and b.version = e.expected_version
  returning b.id, b.version, b.label, b.description, b.value
)`

const CREATED = `, created as (
  insert into blocks (organization_id, id, label, value, char_limit, description, created_by_id)
  select :organization, e.id, e.label, e.value, e.char_limit, e.description, :agent
  from call cross join jsonb_to_recordset(:newBlocks::jsonb) as e (id text, label text, value text, char_limit integer, description text)
  returning id, version, label, description, value
), own as (
  insert into conversation_blocks (organization_id, conversation_id, block_id, label, replaces_block_id, attached_at)
  select distinct on (created.id) :organization, :conversation, created.id, created.label, ab.block_id, clock_timestamp()
  from created
  join agent_blocks as ab on ab.organization_id = :organization and ab.agent_id = :agent and ab.label = created.label
  join conversation_blocks as cb on cb.organization_id = :organization and cb.conversation_id = :conversation
    and cb.replaces_block_id = ab.block_id
  returning block_id
), attached as (
  insert into agent_blocks (organization_id, agent_id, block_id, label)
  select :organization, :agent, created.id, created.label from created
  where not exists (select from own where own.block_id = created.id)
)`

const versioned = (changed: readonly string[]): string => `, versions as (
  insert into block_versions (organization_id, block_id, version, label, description, value, author_type, author_id, run_id, tool_name)
  select :organization, v.id, v.version, v.label, v.description, v.value, 'agent', :agent, :run, call.tool_name
  from call cross join (${changed.map((from) => `select * from ${from}`).join(' union all ')}) as v
)`

const DETACHED = `, detached as (
  delete from agent_blocks as ab using call
  where ab.organization_id = :organization and ab.agent_id = :agent and ab.block_id = any(:detached::text[])
), put_away as (
  update conversation_blocks as cb set is_detached = true from call
  where cb.organization_id = :organization and cb.conversation_id = :conversation and cb.block_id = any(:detached::text[])
)`

const REMEMBERED = `, archive as (
  insert into archives (organization_id, id, name, description, created_by_id, passage_count)
  select :organization, :newArchive, a.name || '''s Archive', 'Default archive created automatically', :agent,
    jsonb_array_length(:passages::jsonb)
  from call cross join agents as a
  where a.organization_id = :organization and a.id = :agent
    and not exists (select from agent_archives as aa where aa.organization_id = :organization and aa.agent_id = :agent)
  returning id
), linked as (
  insert into agent_archives (organization_id, agent_id, archive_id) select :organization, :agent, archive.id from archive
), home as (
  select archive.id from archive
  union all
  select aa.archive_id from agent_archives as aa where aa.organization_id = :organization and aa.agent_id = :agent
), stored as (
  insert into passages as p (organization_id, id, archive_id, text, tags, fact_key, created_by_id, author_type, author_id, run_id, tool_name)
  select :organization, n.id, home.id, n.text, n.tags, n.fact_key, :agent, 'agent', :agent, :run, call.tool_name
  from call cross join home cross join jsonb_to_recordset(:passages::jsonb) as n (id text, text text, tags text[], fact_key uuid)
  order by n.fact_key
  ${ON_SAME_FACT}
  returning p.id, p.archive_id, p.tags
), tagged as (
  insert into passage_tags (organization_id, archive_id, tag, passage_id)
  select :organization, stored.archive_id, tag, stored.id from stored cross join unnest(stored.tags) as tag
  on conflict do nothing
), counted as (
  update archives as a set passage_count = a.passage_count + n.added
  from (
    select stored.archive_id, count(*)::integer as added from stored
    join jsonb_to_recordset(:passages::jsonb) as n (id text) on n.id = stored.id group by stored.archive_id
  ) as n
  where a.organization_id = :organization and a.id = n.archive_id and not exists (select from archive)
)`

const VIEWED = `, viewed as (
  ${applyFileViews({ from: 'call', json: ':fileViews::jsonb', organizationId: ':organization', agentId: ':agent' })}
)`

const SAID = `, said as (
  insert into messages (${NEW_MESSAGE_COLUMNS})
  ${newMessageRows({ from: 'call', json: ':messages::jsonb', organizationId: ':organization', agentId: ':agent', conversationId: ':conversation', runId: ':run' })}
), thread as (
  update conversations as c set message_count = c.message_count + jsonb_array_length(:messages::jsonb)
  from call where c.organization_id = :organization and c.id = :conversation
)`

const LOGGED = `, logged as (
  ${loggedEvents({ from: 'call', json: ':events::jsonb', organizationId: ':organization', runId: ':run' })}
)`

const REQUIRE_EDITS = `when not perdure_require((select count(*) from edited) = jsonb_array_length(:edits::jsonb), 'a memory block was changed by another writer')
    then null`

/**
 * Effect and result of one tool call, and, with the last call of a step, the tool message: all or nothing.
 *   held     the run is still ours, and stays so until this commits
 *   call     the call has no result yet: a repeated statement finds nothing to do. The limit tells the planner that it is one row,
 *            else it takes a plan for all partitions for so dear that it plans anew each time, which costs as much as the rest
 *   edited   each block is at the version that the tool read (compare and set); if not, the statement raises PD001
 *   stored   a passage that says what one of the archive says is not stored again (`ON_SAME_FACT`)
 *   own      a block with the label of an agent's block that this conversation does not see, since it has, or has put away, a copy of
 *            it under another label: the agent cannot have it too, so it is the conversation's own
 */
const commit = statementVariants<Part>('commit-tool-result', (has) => {
  const when = (part: Part, text: string): string => (has(part) ? text : '')
  const changed = [...(has('edits') ? ['edited'] : []), ...(has('new-blocks') ? ['created'] : [])]
  return `
with held as (
  select r.id from runs as r
  where r.organization_id = :organization and r.id = :run and r.lease_token = :token and r.status = 'running'
  for update
), finished as (
  update tool_calls as t set state = 'finished', result = :result::jsonb, finished_at = now()
  from held where t.organization_id = :organization and t.id = :call and t.created_at = :calledAt and t.state <> 'finished'
  returning t.tool_name
), call as (
  select finished.tool_name from finished limit 1
)${when('edits', EDITED)}${when('new-blocks', CREATED)}${changed.length > 0 ? versioned(changed) : ''}${when('detached', DETACHED)}${when('passages', REMEMBERED)}${when('file-views', VIEWED)}${when('message', SAID)}${when('events', LOGGED)}
select case
  when not exists (select from held) then 'lease-lost'
  when not exists (select from call) then 'already-finished'
  ${when('edits', REQUIRE_EDITS)}
  else 'committed'
end as outcome`
})

export interface BlockEdit {
  id: string
  expected_version: number
  label: string
  value: string
  description: string | null
}
export interface NewBlockRow {
  id: string
  label: string
  value: string
  char_limit: number
  description: string | null
}

export interface ToolResultCommit {
  agentId: string
  conversationId: string
  call: { id: string; created_at: string }
  result: ToolReturn
  edits: BlockEdit[]
  newBlocks: NewBlockRow[]
  detachedBlockIds: string[]
  /** No two of them with one key. */
  passages: { id: string; text: string; tags: string[]; fact_key: string }[]
  /** Files that are opened and closed. */
  fileViews: FileView[]
  /** Id for the agent's archive if it has none yet. */
  newArchiveId: string
  /** The message with all results of the step, and what comes right after it; only with the last call. */
  messages: NewMessage[]
  /** What streams tell of the message, and what they told before and is not stored yet. */
  events: EventBatch[]
}

/**
 * @returns `lease-lost` when another process has the run, `already-finished` when the call has its result: then nothing was written
 * @throws the database's error with SQLSTATE PD001 when a block was edited by someone else meanwhile, 23505 when a label is taken
 */
export async function commitToolResult(
  db: Queryable,
  lease: Lease,
  change: ToolResultCommit,
): Promise<'committed' | 'already-finished' | 'lease-lost'> {
  const parts = (Object.keys(PART_OF) as Part[]).filter((part) => PART_OF[part](change))
  const [row] = await db.query<{ outcome: 'committed' | 'already-finished' | 'lease-lost' }>(
    ...commit(parts, {
      organization: lease.organizationId,
      run: lease.runId,
      token: lease.token,
      agent: change.agentId,
      conversation: change.conversationId,
      call: change.call.id,
      calledAt: change.call.created_at,
      result: JSON.stringify(change.result),
      edits: JSON.stringify(change.edits),
      newBlocks: JSON.stringify(change.newBlocks),
      detached: change.detachedBlockIds,
      passages: JSON.stringify(change.passages),
      newArchive: change.newArchiveId,
      messages: JSON.stringify(change.messages),
      fileViews: JSON.stringify(change.fileViews),
      events: JSON.stringify(change.events),
    }),
  )
  return row?.outcome ?? 'lease-lost'
}

/** Whether there is anything to do for a part. */
const PART_OF: Record<Part, (change: ToolResultCommit) => boolean> = {
  edits: ({ edits }) => edits.length > 0,
  'new-blocks': ({ newBlocks }) => newBlocks.length > 0,
  detached: ({ detachedBlockIds }) => detachedBlockIds.length > 0,
  passages: ({ passages }) => passages.length > 0,
  'file-views': ({ fileViews }) => fileViews.length > 0,
  message: ({ messages }) => messages.length > 0,
  events: ({ events }) => events.length > 0,
}
