import { randomUUID } from 'node:crypto'
import { checkLabels } from '#agent/agent-blocks.ts'
import { AGENT_TYPES } from '#agent/base-tools.ts'
import { checkTimezone } from '#agent/create-agent.ts'
import { normalizeToolRules } from '#agent/normalize-tool-rules.ts'
import { defaultSystemPrompt } from '#agent/prompts/default-system.ts'
import { normalizeNewBlock } from '#memory/block-rules.ts'
import { invalidArgument } from '#platform/errors.ts'
import type { TemplateBlock, TemplateSnapshot } from '#store/templates/template-row.ts'

type Json = Record<string, unknown>

const asObject = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}
const asList = (value: unknown): Json[] => (Array.isArray(value) ? value.map(asObject) : [])
const asText = (value: unknown): string | null => (typeof value === 'string' ? value : null)
const asTexts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : []
const asCount = (value: unknown): number | null =>
  typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= 2_147_483_647 ? value : null
const orNull = (value: unknown): Json | null => (typeof value === 'object' && value !== null ? asObject(value) : null)

const problem = (text: string) => invalidArgument(`INVALID_ARGUMENT: agent file: ${text}`)

/** What a template needs of an agent file (wire contract §8); messages, files and secrets are no part of it. Throws invalid_argument. */
export function parseAgentFile(file: Json): TemplateSnapshot {
  const { agent, hasCompanion } = mainAgent(file)
  const type = AGENT_TYPES.find((known) => known === (asText(agent.agent_type) ?? 'letta_v1_agent'))
  if (type === undefined) throw problem(`'${agent.agent_type}' is no type of agent.`)
  const model = asText(agent.model) ?? handleOf(asObject(agent.llm_config))
  if (model === null) throw problem('it names no model: agents[0].model, or llm_config with a handle, is needed.')
  return {
    agent: {
      entity_id: randomUUID(),
      name: asText(agent.name) ?? 'agent',
      agent_type: type,
      description: asText(agent.description),
      system: asText(agent.system) ?? defaultSystemPrompt(type),
      model,
      embedding: asText(agent.embedding) ?? asText(asObject(agent.embedding_config).handle),
      model_settings: asObject(agent.model_settings),
      context_window_limit: asCount(agent.context_window_limit) ?? asCount(asObject(agent.llm_config).context_window),
      compaction_settings: orNull(agent.compaction_settings),
      response_format: orNull(agent.response_format),
      tool_rules: normalizeToolRules(asList(agent.tool_rules)),
      metadata: orNull(agent.metadata),
      timezone: checkTimezone(asText(agent.timezone) ?? 'UTC'),
      message_buffer_autoclear: agent.message_buffer_autoclear === true,
      enable_sleeptime: hasCompanion || agent.enable_sleeptime === true ? true : null,
      max_files_open: asCount(agent.max_files_open),
      per_file_view_window_char_limit: asCount(agent.per_file_view_window_char_limit),
      tools: toolNames(file, agent),
      tags: [...new Set(asTexts(agent.tags))].sort(),
    },
    blocks: blocksOf(file, agent),
  }
}

/** The only agent of the file, or the one that a sleeptime agent of the file works behind. */
function mainAgent(file: Json): { agent: Json; hasCompanion: boolean } {
  const agents = asList(file.agents)
  const [first] = agents
  if (first === undefined) throw problem('it has no agents.')
  if (agents.length === 1) return { agent: first, hasCompanion: false }
  const managers = asList(file.groups).flatMap((group) => {
    const config = asObject(group.manager_config)
    return config.manager_type === 'sleeptime' ? [config.manager_agent_id] : []
  })
  const mains = agents.filter((agent) => agent.agent_type !== 'sleeptime_agent')
  const [main] = mains
  if (mains.length !== 1 || main === undefined || !managers.includes(main.id)) {
    throw problem(
      `a template is of one agent, with its sleeptime agent or without; the file has ${agents.length} others.`,
    )
  }
  return { agent: main, hasCompanion: true }
}

function handleOf(llm: Json): string | null {
  const provider = asText(llm.provider_name) ?? asText(llm.model_endpoint_type)
  const name = asText(llm.model)
  return asText(llm.handle) ?? (provider !== null && name !== null ? `${provider}/${name}` : null)
}

function toolNames(file: Json, agent: Json): string[] {
  const names = new Map(asList(file.tools).map((tool) => [asText(tool.id), asText(tool.name)]))
  const byId = asTexts(agent.tool_ids).map((id) => {
    const name = names.get(id)
    if (name == null) throw problem(`the agent has the tool ${id}, which the file does not.`)
    return name
  })
  return [...new Set([...byId, ...asTexts(agent.tools)])]
}

function blocksOf(file: Json, agent: Json): TemplateBlock[] {
  const known = new Map(asList(file.blocks).map((block) => [asText(block.id), block]))
  const byId = asTexts(agent.block_ids).map((id) => {
    const block = known.get(id)
    if (block === undefined) throw problem(`the agent has the block ${id}, which the file does not.`)
    return block
  })
  const blocks = [...byId, ...asList(agent.memory_blocks)].map(toBlock)
  checkLabels(blocks.map((block) => block.label))
  return blocks
}

function toBlock(block: Json): TemplateBlock {
  const { label, value, char_limit, description, read_only, metadata, tags, preserve_on_migration } = normalizeNewBlock(
    {
      label: asText(block.label) ?? '',
      value: asText(block.value) ?? '',
      limit: asCount(block.limit),
      description: asText(block.description),
      read_only: block.read_only === true,
      metadata: orNull(block.metadata),
      tags: asTexts(block.tags),
      preserve_on_migration: block.preserve_on_migration === true,
    },
  )
  return {
    entity_id: randomUUID(),
    label,
    value,
    char_limit,
    description,
    read_only,
    metadata,
    tags,
    preserve_on_migration,
  }
}
