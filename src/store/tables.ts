import type { RunRequest, RunStatus, RunUsage, StopReason } from '#store/runs/run-row.ts'

/** Rows as the builder (`builder.ts`) sees them: one interface per table, columns as in `migrations/`. */
export interface Tables {
  agent_archives: AgentArchivesTable
  agent_blocks: AgentBlocksTable
  agent_tags: AgentTagsTable
  agent_tools: AgentToolsTable
  agents: AgentsTable
  archives: ArchivesTable
  block_tags: BlockTagsTable
  blocks: BlocksTable
  conversations: ConversationsTable
  passage_tags: PassageTagsTable
  passages: PassagesTable
  providers: ProvidersTable
  runs: RunsTable
  steps: StepsTable
  tools: ToolsTable
}

export interface AgentArchivesTable {
  organization_id: string
  agent_id: string
  archive_id: string
}

export interface AgentBlocksTable {
  organization_id: string
  agent_id: string
  block_id: string
  label: string
  attached_at: Date
}

export interface AgentTagsTable {
  organization_id: string
  agent_id: string
  tag: string
}

export interface AgentToolsTable {
  organization_id: string
  agent_id: string
  tool_id: string
  attached_at: Date
}

export interface AgentsTable {
  organization_id: string
  id: string
  project_id: string | null
  name: string
  agent_type: string
  description: string | null
  system: string
  model: string
  embedding: string | null
  model_settings: Record<string, unknown>
  context_window_limit: number | null
  compaction_settings: Record<string, unknown> | null
  response_format: Record<string, unknown> | null
  tool_rules: Record<string, unknown>[]
  metadata: Record<string, unknown> | null
  memory_variables: Record<string, string> | null
  timezone: string
  message_buffer_autoclear: boolean
  enable_sleeptime: boolean | null
  max_files_open: number | null
  per_file_view_window_char_limit: number | null
  hidden: boolean | null
  template_id: string | null
  base_template_id: string | null
  deployment_id: string | null
  entity_id: string | null
  created_by_id: string | null
  last_updated_by_id: string | null
  last_run_completion: Date | null
  last_run_duration_ms: number | null
  last_stop_reason: string | null
  created_at: Date
  updated_at: Date
}

export interface ArchivesTable {
  organization_id: string
  id: string
  project_id: string | null
  name: string
  description: string | null
  embedding: string | null
  metadata: Record<string, unknown> | null
  passage_count: number
  created_by_id: string | null
  last_updated_by_id: string | null
  created_at: Date
  updated_at: Date
}

export interface BlockTagsTable {
  organization_id: string
  block_id: string
  tag: string
}

export interface BlocksTable {
  organization_id: string
  id: string
  project_id: string | null
  label: string
  value: string
  char_limit: number
  description: string | null
  read_only: boolean
  metadata: Record<string, unknown> | null
  is_template: boolean
  template_name: string | null
  template_id: string | null
  base_template_id: string | null
  deployment_id: string | null
  entity_id: string | null
  preserve_on_migration: boolean | null
  hidden: boolean | null
  version: number
  created_by_id: string | null
  last_updated_by_id: string | null
  created_at: Date
  updated_at: Date
}

export interface ConversationsTable {
  organization_id: string
  id: string
  agent_id: string
  is_default: boolean
  summary: string | null
  model: string | null
  model_settings: Record<string, unknown> | null
  system_message_id: string
  system_message_created_at: Date
  system_prompt: string
  prompt_metadata: Record<string, unknown>
  context_start_seq: number
  context_start_at: Date
  summary_message_id: string | null
  summary_message_created_at: Date | null
  message_count: number
  active_run_id: string | null
  queued_run_count: number
  last_message_at: Date | null
  description: string | null
  context_window_limit: number | null
  hidden: boolean
  archived_at: Date | null
  last_run_completion: Date | null
  deleted_at: Date | null
  created_by_id: string | null
  last_updated_by_id: string | null
  created_at: Date
  updated_at: Date
}

export interface PassageTagsTable {
  organization_id: string
  archive_id: string
  tag: string
  passage_id: string
}

export interface PassagesTable {
  organization_id: string
  id: string
  archive_id: string
  text: string
  tags: string[]
  metadata: Record<string, unknown> | null
  /** tsvector, never read */
  search: string
  fact_key: string | null
  repeat_count: number
  repeated_at: Date | null
  version: number
  author_type: string | null
  author_id: string | null
  run_id: string | null
  tool_name: string | null
  version_created_at: Date | null
  created_by_id: string | null
  last_updated_by_id: string | null
  created_at: Date
  updated_at: Date
}

export interface ProvidersTable {
  organization_id: string
  id: string
  name: string
  provider_type: string
  base_url: string | null
  region: string | null
  api_version: string | null
  /** Sealed. */
  api_key: string | null
  /** Sealed. */
  access_key: string | null
  created_by_id: string | null
  last_updated_by_id: string | null
  last_synced: Date | null
  created_at: Date
  updated_at: Date
  deleted_at: Date | null
}

export interface RunsTable {
  organization_id: string
  id: string
  project_id: string | null
  agent_id: string
  conversation_id: string
  status: RunStatus
  queue_seq: number
  background: boolean
  request: RunRequest
  queued_input: unknown[] | null
  created_by_id: string | null
  metadata: Record<string, unknown> | null
  stop_reason: StopReason | null
  error: { type: string; message: string; detail: string | null } | null
  step_count: number
  usage: Partial<RunUsage>
  cancel_requested_at: Date | null
  lease_owner: string | null
  lease_token: number
  lease_expires_at: Date | null
  callback_url: string | null
  callback_sent_at: Date | null
  callback_status_code: number | null
  callback_error: string | null
  ttft_ns: number | null
  total_duration_ns: number | null
  created_at: Date
  started_at: Date | null
  completed_at: Date | null
}

export interface StepsTable {
  organization_id: string
  id: string
  project_id: string | null
  run_id: string
  agent_id: string
  conversation_id: string
  step_index: number
  status: 'pending' | 'success' | 'failed' | 'cancelled'
  stop_reason: StopReason | null
  provider_name: string | null
  provider_category: string | null
  model: string | null
  model_handle: string | null
  model_endpoint: string | null
  context_window_limit: number | null
  prompt_tokens: number
  completion_tokens: number
  total_tokens: number
  cached_input_tokens: number | null
  cache_write_tokens: number | null
  reasoning_tokens: number | null
  error_type: string | null
  error_data: Record<string, unknown> | null
  feedback: 'positive' | 'negative' | null
  tags: string[]
  trace_id: string | null
  request_id: string | null
  step_start_ns: number | null
  llm_request_start_ns: number | null
  llm_request_ns: number | null
  tool_execution_ns: number | null
  step_ns: number | null
  created_at: Date
}

export interface ToolsTable {
  organization_id: string
  id: string
  project_id: string | null
  name: string
  tool_type: string
  description: string | null
  source_type: string | null
  source_code: string | null
  json_schema: Record<string, unknown>
  args_json_schema: Record<string, unknown> | null
  tags: string[]
  return_char_limit: number
  pip_requirements: { name: string; version: string | null }[] | null
  npm_requirements: { name: string; version: string | null }[] | null
  default_requires_approval: boolean | null
  enable_parallel_execution: boolean
  metadata: Record<string, unknown> | null
  mcp_server_id: string | null
  /** tsvector, never read */
  search: string
  created_by_id: string | null
  last_updated_by_id: string | null
  created_at: Date
  updated_at: Date
}
