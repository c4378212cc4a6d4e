import { presentBlock } from '#http/v1/blocks/present-block.ts'
import { presentSource } from '#http/v1/folders/present-folder.ts'
import { presentGroup } from '#http/v1/groups/present-group.ts'
import { presentIdentity } from '#http/v1/identities/present-identity.ts'
import { presentTool } from '#http/v1/tools/present-tool.ts'
import { presentTime } from '#http/wire/nullable.ts'
import { presentMessage } from '#http/wire/present-message.ts'
import type { Agent } from '#store/agents/agent-row.ts'
import type { AgentWire } from './agent-schema.ts'
import { presentCompactionSettings } from './present-compaction-settings.ts'
import {
  type ModelCatalog,
  modelOf,
  presentEmbeddingConfig,
  presentLlmConfig,
  presentModelSettings,
} from './present-model.ts'
import { presentSecret } from './present-secret.ts'

/** A stored agent as the wire shows it, every field there. */
export function presentAgent(agent: Agent, catalog: ModelCatalog): AgentWire {
  const info = modelOf(agent, catalog)
  const settings = presentModelSettings(agent, info)
  const group = agent.managed_group === null ? null : presentGroup(agent.managed_group)
  const blocks = agent.blocks.map(presentBlock)
  const secrets = agent.secrets.map(presentSecret)
  return {
    created_by_id: agent.created_by_id,
    last_updated_by_id: agent.last_updated_by_id,
    created_at: presentTime(agent.created_at),
    updated_at: presentTime(agent.updated_at),
    id: agent.id,
    name: agent.name,
    tool_rules: agent.tool_rules,
    message_ids: agent.message_ids,
    system: agent.system,
    agent_type: agent.agent_type,
    llm_config: presentLlmConfig(agent, info, settings, catalog.maxContextWindow),
    embedding_config: presentEmbeddingConfig(agent.embedding, catalog),
    model: agent.model,
    embedding: agent.embedding,
    model_settings: settings,
    compaction_settings: presentCompactionSettings(agent, info, catalog),
    response_format: agent.response_format,
    description: agent.description,
    metadata: agent.metadata,
    memory: presentMemory(agent.agent_type, blocks),
    blocks,
    tools: agent.tools.map(presentTool),
    sources: agent.folders.map((folder) => presentSource(folder, catalog)),
    tags: agent.tags,
    tool_exec_environment_variables: secrets,
    secrets,
    project_id: agent.project_id,
    template_id: agent.template_id,
    base_template_id: agent.base_template_id,
    deployment_id: agent.deployment_id,
    entity_id: agent.entity_id,
    identity_ids: agent.identities.map((identity) => identity.id),
    identities: agent.identities.map(presentIdentity),
    pending_approval: agent.pending_approval == null ? null : (presentMessage(agent.pending_approval)[0] ?? null),
    message_buffer_autoclear: agent.message_buffer_autoclear,
    enable_sleeptime: agent.enable_sleeptime,
    multi_agent_group: group,
    managed_group: group,
    last_run_completion: presentTime(agent.last_run_completion),
    last_run_duration_ms: agent.last_run_duration_ms,
    last_stop_reason: agent.last_stop_reason,
    timezone: agent.timezone,
    max_files_open: agent.max_files_open,
    per_file_view_window_char_limit: agent.per_file_view_window_char_limit,
    hidden: agent.hidden,
  }
}

/** Core memory as one object, also what `GET /v1/agents/{id}/core-memory` answers. */
export function presentMemory(agentType: string, blocks: AgentWire['blocks']): AgentWire['memory'] {
  return { agent_type: agentType, git_enabled: false, blocks, file_blocks: [], prompt_template: '' }
}
