import type { PromptMetadata } from '#store/conversations/prompt-metadata.ts'
import { type Queryable, statement } from '#store/db.ts'
import { visibleBlocks } from './visible-blocks.ts'

/** Closed files of one folder that the prompt names; the model finds the others by searching. */
const MAX_CLOSED_FILES = 100

const load = statement(
  'load-thread',
  `
select c.id as conversation_id, c.is_default, c.model as conversation_model, c.model_settings as conversation_model_settings,
  c.system_message_id, c.system_message_created_at, c.system_prompt, c.prompt_metadata, c.context_start_seq, c.context_start_at,
  c.summary_message_id, c.summary_message_created_at, c.message_count, c.context_window_limit as conversation_window_limit,
  a.id as agent_id, a.name, a.agent_type, a.system, a.model, a.model_settings, a.context_window_limit, a.response_format,
  a.compaction_settings,
  a.tool_rules, a.timezone, a.message_buffer_autoclear,
  (select coalesce(jsonb_agg(jsonb_build_object('id', b.id, 'label', b.label, 'value', b.value, 'description', b.description,
      'char_limit', b.char_limit, 'read_only', b.read_only, 'version', b.version) order by seen.attached_at, b.id), '[]')
    from (${visibleBlocks('$1', 'c.id', 'c.agent_id')}) as seen
    join blocks as b on b.organization_id = $1 and b.id = seen.block_id) as blocks,
  (select coalesce(jsonb_agg(jsonb_build_object('name', t.name, 'tool_type', t.tool_type, 'return_char_limit', t.return_char_limit,
      'is_parallel', t.enable_parallel_execution,
      'json_schema', case when t.tool_type = 'custom' or t.tool_type like 'external%' then t.json_schema end)
      order by at.attached_at, t.id), '[]')
    from agent_tools as at
    join tools as t on t.organization_id = at.organization_id and t.id = at.tool_id
    where at.organization_id = $1 and at.agent_id = c.agent_id) as tools,
  a.max_files_open, a.per_file_view_window_char_limit,
  (select jsonb_agg(jsonb_build_object('name', fo.name, 'description', fo.description, 'instructions', fo.instructions,
      'closed_count', (select count(*) from agent_files as af
        where af.organization_id = $1 and af.agent_id = c.agent_id and af.folder_id = fo.id and not af.is_open),
      'files', (select coalesce(jsonb_agg(jsonb_build_object('name', v.name, 'is_open', v.is_open, 'visible_content', v.visible_content)
          order by v.name, v.id), '[]')
        from (
          (select fi.id, fi.name, true as is_open, af.visible_content from agent_files as af
            join files as fi on fi.organization_id = af.organization_id and fi.id = af.file_id
            where af.organization_id = $1 and af.agent_id = c.agent_id and af.folder_id = fo.id and af.is_open)
          union all
          (select fi.id, fi.name, false, null from agent_files as af
            join files as fi on fi.organization_id = af.organization_id and fi.id = af.file_id
            where af.organization_id = $1 and af.agent_id = c.agent_id and af.folder_id = fo.id and not af.is_open
            order by fi.name, fi.id limit ${MAX_CLOSED_FILES})
        ) as v)) order by at.attached_at, fo.id)
    from agent_folders as at
    join folders as fo on fo.organization_id = at.organization_id and fo.id = at.folder_id
    where at.organization_id = $1 and at.agent_id = c.agent_id) as folders,
  coalesce((select ar.passage_count from agent_archives as aa
    join archives as ar on ar.organization_id = aa.organization_id and ar.id = aa.archive_id
    where aa.organization_id = $1 and aa.agent_id = c.agent_id), 0) as archival_count
from conversations as c
join agents as a on a.organization_id = c.organization_id and a.id = c.agent_id
where c.organization_id = $1 and c.id = $2 and c.deleted_at is null`,
)

const blocksOf = statement(
  'load-blocks-of-thread',
  `
select b.id, b.label, b.value, b.description, b.char_limit, b.read_only, b.version
from conversations as c
cross join lateral (${visibleBlocks('$1', 'c.id', 'c.agent_id')}) as seen
join blocks as b on b.organization_id = $1 and b.id = seen.block_id
where c.organization_id = $1 and c.id = $2
order by seen.attached_at, b.id`,
)

/** A memory block as a turn knows it. `version` is what compare-and-set goes by. */
export interface ThreadBlock {
  id: string
  label: string
  value: string
  description: string | null
  char_limit: number
  read_only: boolean
  version: number
}

export interface ThreadTool {
  name: string
  tool_type: string
  return_char_limit: number
  /** Calls of it may be executed at the same time. */
  is_parallel: boolean
  /** Of tools that are not the server's own: what the model is told of it. */
  json_schema: { description?: string | null; parameters?: Record<string, unknown> | null } | null
}

/** A folder as the prompt shows it. */
export interface ThreadFolder {
  name: string
  description: string | null
  instructions: string | null
  /** Also of those that are not among `files`. */
  closed_count: number
  /** What is open, and the first of the others, by name within the folder. */
  files: { name: string; is_open: boolean; visible_content: string | null }[]
}

/** An agent in one of its threads, with all that a turn needs except the messages. */
export interface ThreadRow {
  conversation_id: string
  is_default: boolean
  conversation_model: string | null
  conversation_model_settings: Record<string, unknown> | null
  conversation_window_limit: number | null
  system_message_id: string
  system_message_created_at: Date
  system_prompt: string
  prompt_metadata: PromptMetadata
  context_start_seq: number
  context_start_at: Date
  /** The message that stands for what has left the context. */
  summary_message_id: string | null
  summary_message_created_at: Date | null
  message_count: number
  agent_id: string
  name: string
  agent_type: string
  system: string
  model: string
  model_settings: Record<string, unknown>
  context_window_limit: number | null
  compaction_settings: Record<string, unknown> | null
  response_format: Record<string, unknown> | null
  tool_rules: { type: string; tool_name: string }[]
  timezone: string
  message_buffer_autoclear: boolean
  blocks: ThreadBlock[]
  tools: ThreadTool[]
  max_files_open: number | null
  per_file_view_window_char_limit: number | null
  /** Null for an agent without folders. */
  folders: ThreadFolder[] | null
  archival_count: number
}

export async function findThread(
  db: Queryable,
  organizationId: string,
  conversationId: string,
): Promise<ThreadRow | undefined> {
  const [row] = await db.query<ThreadRow>(load, [organizationId, conversationId])
  return row
}

/** The blocks alone, when another writer has changed one in the middle of a turn. */
export function loadBlocks(db: Queryable, organizationId: string, conversationId: string): Promise<ThreadBlock[]> {
  return db.query<ThreadBlock>(blocksOf, [organizationId, conversationId])
}
