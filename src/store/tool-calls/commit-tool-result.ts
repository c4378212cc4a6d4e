import { type Queryable, statement } from '#store/db.ts'
import { NEW_MESSAGE_COLUMNS, type NewMessage, newMessageRows, type ToolReturn } from '#store/messages/message-row.ts'
import { type EventBatch, loggedEvents } from '#store/run-events/event-batch.ts'
import type { Lease } from '#store/runs/run-row.ts'

/**
 * Effect and result of one tool call, and, with the last call of a step, the tool message: all or nothing.
 *   held     the run is still ours, and stays so until this commits
 *   call     the call has no result yet: a repeated statement finds nothing to do
 *   edited   each block is at the version that the tool read (compare and set); if not, the statement raises PD001
 */
const commit = statement(
  'commit-tool-result',
  `
with held as (
  select r.id from runs as r
  where r.organization_id = $1 and r.id = $2 and r.lease_token = $3 and r.status = 'running'
  for update
), call as (
  update tool_calls as t set state = 'finished', result = $8::jsonb, finished_at = now()
  from held where t.organization_id = $1 and t.id = $6 and t.created_at = $7 and t.state <> 'finished'
  returning t.tool_name
), edited as (
  update blocks as b set value = e.value, label = e.label, description = e.description, version = b.version + 1,
    updated_at = now(), last_updated_by_id = $4
  from call cross join jsonb_to_recordset($9::jsonb) as e (id text, expected_version integer, label text, value text, description text)
  where b.organization_id = $1 and b.id = e.id and b.version = e.expected_version
  returning b.id, b.version, b.label, b.description, b.value
), created as (
  insert into blocks (organization_id, id, label, value, char_limit, description, created_by_id)
  select $1, e.id, e.label, e.value, e.char_limit, e.description, $4
  from call cross join jsonb_to_recordset($10::jsonb) as e (id text, label text, value text, char_limit integer, description text)
  returning id, version, label, description, value
), attached as (
  insert into agent_blocks (organization_id, agent_id, block_id, label) select $1, $4, created.id, created.label from created
), versions as (
  insert into block_versions (organization_id, block_id, version, label, description, value, author_type, author_id, run_id, tool_name)
  select $1, v.id, v.version, v.label, v.description, v.value, 'agent', $4, $2, call.tool_name
  from call cross join (select * from edited union all select * from created) as v
), detached as (
  delete from agent_blocks as ab using call
  where ab.organization_id = $1 and ab.agent_id = $4 and ab.block_id = any($11::text[])
), archive as (
  insert into archives (organization_id, id, name, description, created_by_id, passage_count)
  select $1, $13, a.name || '''s Archive', 'Default archive created automatically', $4, jsonb_array_length($12::jsonb)
  from call cross join agents as a
  where a.organization_id = $1 and a.id = $4 and jsonb_array_length($12::jsonb) > 0
    and not exists (select from agent_archives as aa where aa.organization_id = $1 and aa.agent_id = $4)
  returning id
), linked as (
  insert into agent_archives (organization_id, agent_id, archive_id) select $1, $4, archive.id from archive
), home as (
  select archive.id from archive
  union all
  select aa.archive_id from agent_archives as aa where aa.organization_id = $1 and aa.agent_id = $4 and jsonb_array_length($12::jsonb) > 0
), stored as (
  insert into passages (organization_id, id, archive_id, text, tags, created_by_id)
  select $1, p.id, home.id, p.text, p.tags, $4
  from call cross join home cross join jsonb_to_recordset($12::jsonb) as p (id text, text text, tags text[])
  returning id, archive_id, tags
), tagged as (
  insert into passage_tags (organization_id, archive_id, tag, passage_id)
  select $1, stored.archive_id, tag, stored.id from stored cross join unnest(stored.tags) as tag
), counted as (
  update archives as a set passage_count = a.passage_count + n.added
  from (select archive_id, count(*)::integer as added from stored group by archive_id) as n
  where a.organization_id = $1 and a.id = n.archive_id and not exists (select from archive)
), said as (
  insert into messages (${NEW_MESSAGE_COLUMNS})
  ${newMessageRows({ from: 'call', json: '$14::jsonb', organizationId: '$1', agentId: '$4', conversationId: '$5', runId: '$2' })}
), logged as (
  ${loggedEvents({ from: 'call', json: '$15::jsonb', organizationId: '$1', runId: '$2' })}
), thread as (
  update conversations as c set message_count = c.message_count + jsonb_array_length($14::jsonb)
  from call where c.organization_id = $1 and c.id = $5 and jsonb_array_length($14::jsonb) > 0
)
select case
  when not exists (select from held) then 'lease-lost'
  when not exists (select from call) then 'already-finished'
  when perdure_require((select count(*) from edited) = jsonb_array_length($9::jsonb), 'a memory block was changed by another writer')
    then 'committed'
end as outcome`,
)

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
  passages: { id: string; text: string; tags: string[] }[]
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
  const [row] = await db.query<{ outcome: 'committed' | 'already-finished' | 'lease-lost' }>(commit, [
    lease.organizationId,
    lease.runId,
    lease.token,
    change.agentId,
    change.conversationId,
    change.call.id,
    change.call.created_at,
    JSON.stringify(change.result),
    JSON.stringify(change.edits),
    JSON.stringify(change.newBlocks),
    change.detachedBlockIds,
    JSON.stringify(change.passages),
    change.newArchiveId,
    JSON.stringify(change.messages),
    JSON.stringify(change.events),
  ])
  return row?.outcome ?? 'lease-lost'
}
