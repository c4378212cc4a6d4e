import { presentAgent } from '#http/v1/agents/present-agent.ts'
import type { ModelCatalog } from '#http/v1/agents/present-model.ts'
import { presentBlock } from '#http/v1/blocks/present-block.ts'
import { presentTool } from '#http/v1/tools/present-tool.ts'
import type { Agent } from '#store/agents/agent-row.ts'
import type { BlockRow } from '#store/blocks/block-row.ts'
import type { ToolRow } from '#store/tools/tool-row.ts'
import type { FileFolders } from './present-folders.ts'
import type { FileArchive } from './write-archive.ts'

/** What a client resolved for the file: the server only passes it on. */
export interface FileSkill {
  name: string
  files?: Record<string, string> | null
  source_url?: string | null
}

/** What tells our files apart; V1 wrote the revision of its database here. */
const REVISION = 'perdure-1'

export interface AgentToExport {
  agent: Agent
  catalog: ModelCatalog
  /** In the form of the file. */
  messages: Record<string, unknown>[]
  folders: FileFolders
  archives: readonly FileArchive[]
  skills: readonly FileSkill[]
  now: Date
}

/** An agent with its blocks, tools, folders and archive as a file of today's format; ids are the file's own. */
export function presentAgentFile({ agent, skills, now, ...rest }: AgentToExport): Record<string, unknown> {
  return {
    agents: [presentFileAgent(agent, rest)],
    groups: [],
    blocks: agent.blocks.map(presentFileBlock),
    files: rest.folders.files,
    sources: rest.folders.sources,
    tools: agent.tools.map(presentFileTool),
    mcp_servers: [],
    skills,
    metadata: { revision_id: REVISION },
    created_at: now.toISOString(),
    // V1's files have none: an agent without one has the file that V1 would write
    ...(rest.archives.length === 0 ? {} : { archives: rest.archives }),
  }
}

function presentFileAgent(
  agent: Agent,
  { catalog, messages, folders, archives }: Pick<AgentToExport, 'catalog' | 'messages' | 'folders' | 'archives'>,
) {
  const sourceIds = folders.sources.map((source) => source.id)
  const { llm_config, embedding_config } = presentAgent(agent, catalog)
  const secrets = Object.fromEntries(agent.secrets.map(({ key }) => [key, '']))
  return {
    name: agent.name,
    memory_blocks: [],
    tools: [],
    tool_ids: agent.tools.map((_, index) => `tool-${index}`),
    source_ids: sourceIds,
    folder_ids: sourceIds,
    block_ids: agent.blocks.map((_, index) => `block-${index}`),
    tool_rules: agent.tool_rules,
    tags: agent.tags,
    system: agent.system,
    agent_type: agent.agent_type,
    initial_message_sequence: null,
    include_base_tools: false,
    include_multi_agent_tools: false,
    include_base_tool_rules: false,
    include_default_source: false,
    description: agent.description,
    metadata: agent.metadata,
    llm_config,
    embedding_config,
    model: agent.model,
    embedding: agent.embedding,
    model_settings: agent.model_settings,
    compaction_settings: agent.compaction_settings,
    context_window_limit: agent.context_window_limit,
    embedding_chunk_size: null,
    max_tokens: null,
    max_reasoning_tokens: null,
    enable_reasoner: null,
    reasoning: null,
    from_template: null,
    template: false,
    project: null,
    tool_exec_environment_variables: secrets,
    secrets,
    memory_variables: agent.memory_variables,
    project_id: null,
    template_id: null,
    base_template_id: null,
    identity_ids: null,
    message_buffer_autoclear: agent.message_buffer_autoclear,
    enable_sleeptime: false,
    response_format: agent.response_format,
    timezone: agent.timezone,
    max_files_open: agent.max_files_open,
    per_file_view_window_char_limit: agent.per_file_view_window_char_limit,
    hidden: agent.hidden,
    parallel_tool_calls: null,
    id: 'agent-0',
    in_context_message_ids: messages.map((message) => message.id),
    messages,
    files_agents: folders.files_agents,
    group_ids: [],
    ...(archives.length === 0 ? {} : { archive_ids: archives.map((archive) => archive.id) }),
  }
}

/** What belongs to this server, and would mean nothing on another, is left out. */
const OF_THIS_SERVER = {
  project_id: null,
  created_by_id: null,
  last_updated_by_id: null,
}
const OF_TEMPLATES = { template_id: null, base_template_id: null, deployment_id: null, entity_id: null }

function presentFileBlock(block: BlockRow, index: number) {
  return { ...presentBlock(block), ...OF_THIS_SERVER, ...OF_TEMPLATES, id: `block-${index}` }
}

function presentFileTool(tool: ToolRow, index: number) {
  const { risk: _, ...presented } = presentTool(tool)
  return { ...presented, ...OF_THIS_SERVER, id: `tool-${index}` }
}
