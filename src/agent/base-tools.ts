/** How each of them works: `engines.ts`. */
export const AGENT_TYPES = [
  'memgpt_agent',
  'memgpt_v2_agent',
  'letta_v1_agent',
  'react_agent',
  'workflow_agent',
  'split_thread_agent',
  'sleeptime_agent',
  'voice_convo_agent',
  'voice_sleeptime_agent',
] as const
export type AgentType = (typeof AGENT_TYPES)[number]

const LEGACY_TOOLS = [
  'send_message',
  'conversation_search',
  'core_memory_append',
  'core_memory_replace',
  'memory',
  'memory_apply_patch',
]

const BASE_TOOLS: Record<AgentType, readonly string[]> = {
  letta_v1_agent: ['conversation_search', 'memory_insert', 'memory_replace'],
  memgpt_v2_agent: ['send_message', 'conversation_search', 'memory_insert', 'memory_replace'],
  memgpt_agent: LEGACY_TOOLS,
  split_thread_agent: LEGACY_TOOLS,
  sleeptime_agent: ['memory_replace', 'memory_insert', 'memory_rethink', 'memory_finish_edits'],
  react_agent: [],
  workflow_agent: [],
  voice_convo_agent: [],
  voice_sleeptime_agent: [],
}

/** Another agent keeps its memory in order, so that it only looks things up. */
const TOOLS_WITH_COMPANION = ['conversation_search', 'archival_memory_search']

/** Names of the tools that an agent of this type has from the beginning; wire contract §2.3. */
export function baseToolsOf(type: AgentType, hasCompanion = false): readonly string[] {
  if (!hasCompanion) return BASE_TOOLS[type]
  return BASE_TOOLS[type].includes('send_message') ? ['send_message', ...TOOLS_WITH_COMPANION] : TOOLS_WITH_COMPANION
}

/** Tools by which agents speak to each other. */
export const MULTI_AGENT_TOOLS = [
  'send_message_to_agent_and_wait_for_reply',
  'send_message_to_agents_matching_tags',
  'send_message_to_agent_async',
] as const

const TERMINAL_TOOLS = new Set(['send_message', 'memory_finish_edits', 'send_message_to_agent_async'])
/** Models that need no rules to go on or to stop; V1's list. */
const SELF_DIRECTED_MODEL = /claude-4-sonnet|claude-3-5-sonnet|gpt-5|gemini-2\.5-pro/

/** The tool rules that come with the base tools; none where the loop or the model needs none. */
export function baseToolRulesOf(
  type: AgentType,
  model: string,
  more: readonly string[] = [],
): Record<string, unknown>[] {
  const isSelfDirected = SELF_DIRECTED_MODEL.test(model) && !model.includes('mini')
  if (type === 'letta_v1_agent' || isSelfDirected) return []
  return [...baseToolsOf(type), ...more].map((name) => ({
    type: TERMINAL_TOOLS.has(name) ? 'exit_loop' : 'continue_loop',
    tool_name: name,
  }))
}
