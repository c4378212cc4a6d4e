import { renderToolRules } from '#agent/tool-rules/render-tool-rules.ts'
import type { ToolRule } from '#agent/tool-rules/tool-rule.ts'
import { formatPromptTime } from '#platform/time-format.ts'
import type { PromptMetadata } from '#store/conversations/prompt-metadata.ts'
import { type Directories, renderDirectories } from './render-directories.ts'

/** What of a block is shown in the prompt. */
export interface PromptBlock {
  label: string
  value: string
  description: string | null
  char_limit: number
  read_only: boolean
}

export interface SystemPromptInput {
  /** The agent's own instructions; `{CORE_MEMORY}` in it is where memory goes, else it is appended. */
  system: string
  agentType: string
  agentId: string
  /** Null for the default conversation. */
  conversationId: string | null
  timezone: string
  /** Numbered lines help models that edit by line (Anthropic's). */
  hasLineNumbers: boolean
  /** In the order in which they were attached. */
  blocks: readonly PromptBlock[]
  /** Folders with their files; none where left out. */
  directories?: Directories | null
  toolRules: readonly ToolRule[]
  metadata: PromptMetadata
}

const LINE_NUMBER_WARNING =
  "<warning># NOTE: Line numbers shown below (with arrows like '1→') are to help during editing. Do NOT include line number prefixes in your memory edit tool calls.</warning>"

/** Agent types whose prompt has no memory blocks. */
const WITHOUT_BLOCKS = new Set(['react_agent', 'workflow_agent'])
/** Agent types that get numbered lines with a model that likes them. */
const WITH_LINE_NUMBERS = new Set(['letta_v1_agent', 'memgpt_v2_agent', 'sleeptime_agent'])

const numberLines = (value: string): string =>
  value
    .split('\n')
    .map((line, index) => `${index + 1}→ ${line}`)
    .join('\n')

function renderBlock(block: PromptBlock, hasLineNumbers: boolean): string {
  const lines = [
    `<${block.label}>`,
    '<description>',
    block.description ?? '',
    '</description>',
    '<metadata>',
    ...(block.read_only ? ['- read_only=true'] : []),
    `- chars_current=${block.value.length}`,
    `- chars_limit=${block.char_limit}`,
    '</metadata>',
    ...(hasLineNumbers ? [LINE_NUMBER_WARNING] : []),
    '<value>',
    hasLineNumbers ? numberLines(block.value) : block.value,
    '</value>',
    `</${block.label}>`,
  ]
  return lines.join('\n')
}

function renderBlocks(blocks: readonly PromptBlock[], hasLineNumbers: boolean): string {
  const rendered = blocks.map((block) => renderBlock(block, hasLineNumbers)).join('\n\n')
  return `<memory_blocks>\nThe following memory blocks are currently engaged in your core memory unit:\n\n${rendered}\n\n</memory_blocks>`
}

function renderMetadata(input: SystemPromptInput): string {
  const { compiled_at, recall_count, archival_count, archival_tags } = input.metadata
  return [
    '<memory_metadata>',
    `- AGENT_ID: ${input.agentId}`,
    `- CONVERSATION_ID: ${input.conversationId ?? 'default'}`,
    `- System prompt last recompiled: ${formatPromptTime(new Date(compiled_at), input.timezone)}`,
    `- ${recall_count} previous messages between you and the user are stored in recall memory (use tools to access them)`,
    ...(archival_count > 0
      ? [`- ${archival_count} total memories you created are stored in archival memory (use tools to access them)`]
      : []),
    ...(archival_tags.length > 0 ? [`- Available archival memory tags: ${archival_tags.join(', ')}`] : []),
    '</memory_metadata>',
  ].join('\n')
}

/** The system message of an agent's thread, in the layout of §3.2 of the wire contract. Pure: same input, same bytes. */
export function compileSystemPrompt(input: SystemPromptInput): string {
  const isNumbered = input.hasLineNumbers && WITH_LINE_NUMBERS.has(input.agentType)
  const rules = renderToolRules(input.toolRules)
  const sections = [
    ...(input.blocks.length > 0 && !WITHOUT_BLOCKS.has(input.agentType)
      ? [renderBlocks(input.blocks, isNumbered)]
      : []),
    ...(rules === undefined ? [] : [rules]),
    ...(input.directories == null ? [] : [renderDirectories(input.directories)]),
    renderMetadata(input),
  ]
  const memory = sections.join('\n\n')
  return input.system.includes('{CORE_MEMORY}')
    ? input.system.replace('{CORE_MEMORY}', () => memory)
    : `${input.system}\n\n${memory}`
}
