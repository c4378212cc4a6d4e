import { randomUUID } from 'node:crypto'
import type { Agent } from '#store/agents/agent-row.ts'
import type { TemplateBlock, TemplateSnapshot } from '#store/templates/template-row.ts'

/** What agents that are made like this one begin with. Who it works for (identities) and what it was told are its own. */
export function snapshotOf(agent: Agent): TemplateSnapshot {
  return {
    agent: {
      entity_id: randomUUID(),
      name: agent.name,
      agent_type: agent.agent_type,
      description: agent.description,
      system: agent.system,
      model: agent.model,
      embedding: agent.embedding,
      model_settings: agent.model_settings,
      context_window_limit: agent.context_window_limit,
      compaction_settings: agent.compaction_settings,
      response_format: agent.response_format,
      tool_rules: agent.tool_rules,
      metadata: agent.metadata,
      timezone: agent.timezone,
      message_buffer_autoclear: agent.message_buffer_autoclear,
      enable_sleeptime: agent.enable_sleeptime,
      max_files_open: agent.max_files_open,
      per_file_view_window_char_limit: agent.per_file_view_window_char_limit,
      tools: agent.tools.map((tool) => tool.name),
      tags: agent.tags,
    },
    blocks: agent.blocks.map((block) => ({
      entity_id: randomUUID(),
      label: block.label,
      value: block.value,
      char_limit: block.char_limit,
      description: block.description,
      read_only: block.read_only,
      metadata: block.metadata,
      tags: block.tags,
      preserve_on_migration: block.preserve_on_migration,
    })),
  }
}

/** The new contents with the ids of the old: the agent is the same one, and so is a block of the same label. */
export function withKnownEntities(snapshot: TemplateSnapshot, before: TemplateSnapshot): TemplateSnapshot {
  const known = new Map(before.blocks.map((block) => [block.label, block.entity_id]))
  return {
    agent: { ...snapshot.agent, entity_id: before.agent.entity_id },
    blocks: snapshot.blocks.map((block) => ({ ...block, entity_id: known.get(block.label) ?? block.entity_id })),
  }
}

const VARIABLE = /\{\{\s*([\w.-]+)\s*\}\}/g

/** The value with its variables filled in; one that has no value stays as it stands, where people see it. */
export const fillVariables = (value: string, variables: Readonly<Record<string, string>>): string =>
  value.replace(VARIABLE, (text, name: string) => (Object.hasOwn(variables, name) ? (variables[name] ?? text) : text))

/** The names of the variables in the blocks, each once, in their order. */
export const variablesOf = (blocks: readonly TemplateBlock[]): string[] => [
  ...new Set(blocks.flatMap(({ value }) => [...value.matchAll(VARIABLE)].map(([, name = '']) => name))),
]
