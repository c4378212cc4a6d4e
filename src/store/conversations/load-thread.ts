import type { PromptMetadata } from '#store/conversations/prompt-metadata.ts'
import { type Queryable, statement } from '#store/db.ts'

const load = statement(
  'load-thread',
  `
select c.id as conversation_id, c.is_default, c.model as conversation_model, c.model_settings as conversation_model_settings,
  c.system_message_id, c.system_message_created_at, c.system_prompt, c.prompt_metadata, c.context_start_seq, c.context_start_at,
  c.summary_message_id, c.summary_message_created_at, c.message_count,
  a.id as agent_id, a.name, a.agent_type, a.system, a.model, a.model_settings, a.context_window_limit, a.response_format,
  a.compaction_settings,
  a.tool_rules, a.timezone, a.message_buffer_autoclear,
  (select coalesce(jsonb_agg(jsonb_build_object('id', b.id, 'label', b.label, 'value', b.value, 'description', b.description,
      'char_limit', b.char_limit, 'read_only', b.read_only, 'version', b.version) order by ab.attached_at, b.id), '[]')
    from agent_blocks as ab
    join blocks as b on b.organization_id = ab.organization_id and b.id = ab.block_id
    where ab.organization_id = $1 and ab.agent_id = c.agent_id) as blocks,
  (select coalesce(jsonb_agg(jsonb_build_object('name', t.name, 'tool_type', t.tool_type, 'return_char_limit', t.return_char_limit)
      order by at.attached_at, t.id), '[]')
    from agent_tools as at
    join tools as t on t.organization_id = at.organization_id and t.id = at.tool_id
    where at.organization_id = $1 and at.agent_id = c.agent_id) as tools,
  coalesce((select ar.passage_count from agent_archives as aa
    join archives as ar on ar.organization_id = aa.organization_id and ar.id = aa.archive_id
    where aa.organization_id = $1 and aa.agent_id = c.agent_id), 0) as archival_count
from conversations as c
join agents as a on a.organization_id = c.organization_id and a.id = c.agent_id
where c.organization_id = $1 and c.id = $2`,
)

const blocksOf = statement(
  'load-blocks-of-agent',
  `
select b.id, b.label, b.value, b.description, b.char_limit, b.read_only, b.version
from agent_blocks as ab
join blocks as b on b.organization_id = ab.organization_id and b.id = ab.block_id
where ab.organization_id = $1 and ab.agent_id = $2
order by ab.attached_at, b.id`,
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
}

/** An agent in one of its threads, with all that a turn needs except the messages. */
export interface ThreadRow {
  conversation_id: string
  is_default: boolean
  conversation_model: string | null
  conversation_model_settings: Record<string, unknown> | null
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
export function loadBlocks(db: Queryable, organizationId: string, agentId: string): Promise<ThreadBlock[]> {
  return db.query<ThreadBlock>(blocksOf, [organizationId, agentId])
}
