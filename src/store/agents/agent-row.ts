import type { BlockRow } from '#store/blocks/block-row.ts'
import type { FolderRow } from '#store/folders/folder-row.ts'
import type { GroupRow } from '#store/groups/group-row.ts'
import type { IdentityRow } from '#store/identities/identity-row.ts'
import type { MessageRow } from '#store/messages/message-row.ts'
import type { AgentsTable } from '#store/tables.ts'
import type { ToolRow } from '#store/tools/tool-row.ts'
import type { AgentSecretRow } from './agent-secret-row.ts'

/** An agent as read, without what other tables keep of it. */
export type AgentRow = Omit<AgentsTable, 'organization_id'>

/** What belongs to an agent and lies in other tables; a reader fills in what was asked for, the rest is empty. */
export interface AgentRelations {
  /** In the order in which they were attached. */
  blocks: BlockRow[]
  tools: ToolRow[]
  /** In the order in which they were attached. */
  folders: FolderRow[]
  identities: IdentityRow[]
  /** The group that this agent manages: the one that works behind it, else the newest. */
  managed_group: GroupRow | null
  /** In alphabetical order. */
  tags: string[]
  /** In the order of their keys. */
  secrets: AgentSecretRow[]
  /** Messages in context of the default conversation: the system message, then the newest in their order. */
  message_ids: string[]
  /** The request that waits in the default conversation. */
  pending_approval?: MessageRow | null
}

export type Agent = AgentRow & AgentRelations

/** Columns of `AgentRow`. */
const AGENT_COLUMN_NAMES = [
  'id',
  'project_id',
  'name',
  'agent_type',
  'description',
  'system',
  'model',
  'embedding',
  'model_settings',
  'context_window_limit',
  'compaction_settings',
  'response_format',
  'tool_rules',
  'metadata',
  'memory_variables',
  'timezone',
  'message_buffer_autoclear',
  'enable_sleeptime',
  'max_files_open',
  'per_file_view_window_char_limit',
  'hidden',
  'template_id',
  'base_template_id',
  'deployment_id',
  'entity_id',
  'created_by_id',
  'last_updated_by_id',
  'last_run_completion',
  'last_run_duration_ms',
  'last_stop_reason',
  'created_at',
  'updated_at',
] as const satisfies (keyof AgentRow)[]

/** The columns of `AgentRow`, qualified by the table's alias in the statement. */
export const agentColumns = (alias: string): string => AGENT_COLUMN_NAMES.map((name) => `${alias}.${name}`).join(', ')

/** More ids than any client looks at; keeps a long thread from filling every answer. */
const MAX_MESSAGE_IDS = 500

export const agentTagsColumn = (alias: string): string =>
  `array(select t.tag from agent_tags as t
    where t.organization_id = ${alias}.organization_id and t.agent_id = ${alias}.id order by t.tag) as tags`

/** `message_ids` of `AgentRelations`; the time in the condition lets the database skip the months before it. */
export const messageIdsColumn = (alias: string): string =>
  `(select array[c.system_message_id] || array_remove(array[c.summary_message_id], null) || array(
      select newest.id from (
        select m.id, m.seq from messages as m
        where m.organization_id = c.organization_id and m.conversation_id = c.id and m.seq >= c.context_start_seq
          and m.created_at >= c.context_start_at and m.id <> c.system_message_id and m.role not in ('note', 'summary')
        order by m.seq desc limit ${MAX_MESSAGE_IDS - 2}
      ) as newest order by newest.seq)
    from conversations as c
    where c.organization_id = ${alias}.organization_id and c.agent_id = ${alias}.id and c.is_default) as message_ids`
