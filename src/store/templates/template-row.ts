import type { AgentRow } from '#store/agents/agent-row.ts'

/** What agents of a template begin with. Ids of entities stay the same over the versions, so that a migration finds what is what. */
export interface TemplateSnapshot {
  agent: Pick<
    AgentRow,
    | 'name'
    | 'agent_type'
    | 'description'
    | 'system'
    | 'model'
    | 'embedding'
    | 'model_settings'
    | 'context_window_limit'
    | 'compaction_settings'
    | 'response_format'
    | 'tool_rules'
    | 'metadata'
    | 'timezone'
    | 'message_buffer_autoclear'
    | 'enable_sleeptime'
    | 'max_files_open'
    | 'per_file_view_window_char_limit'
  > & {
    entity_id: string
    /** Names. */
    tools: string[]
    tags: string[]
  }
  /** In the order in which they are shown. */
  blocks: TemplateBlock[]
}

export interface TemplateBlock {
  entity_id: string
  label: string
  /** May have variables: `{{name}}`. */
  value: string
  char_limit: number
  description: string | null
  read_only: boolean
  metadata: Record<string, unknown> | null
  tags: string[]
  preserve_on_migration: boolean | null
}

/** A template as read, with its project's slug, without its contents. */
export interface TemplateRow {
  id: string
  project_id: string
  project_slug: string
  name: string
  description: string | null
  base_version: number
  latest_version: number
  created_at: Date
  updated_at: Date
}

export const TEMPLATE_COLUMNS =
  't.id, t.project_id, p.slug as project_slug, t.name, t.description, t.base_version, t.latest_version, t.created_at, t.updated_at'

export interface TemplateVersionRow {
  version: number
  message: string | null
  created_at: Date
}
