import { newOrderedId } from '#platform/ids.ts'
import type { AgentToInsert } from '#store/agents/agent-writer.ts'
import type { BlockRow } from '#store/blocks/block-row.ts'
import type { PromptMetadata } from '#store/conversations/prompt-metadata.ts'
import type { NewMessage } from '#store/messages/message-row.ts'
import { compileSystemPrompt } from './prompts/compile-system-prompt.ts'
import type { ToolRule } from './tool-rules/tool-rule.ts'

/** The prompt that a new agent begins with, and what its volatile part says. */
export function firstPrompt(
  agent: AgentToInsert,
  hasLineNumbers: boolean,
  blocks: readonly BlockRow[],
): { systemPrompt: string; promptMetadata: PromptMetadata } {
  const promptMetadata: PromptMetadata = {
    compiled_at: new Date().toISOString(),
    recall_count: 0,
    archival_count: 0,
    archival_tags: [],
  }
  const systemPrompt = compileSystemPrompt({
    system: agent.system,
    agentType: agent.agent_type,
    agentId: agent.id,
    conversationId: null,
    timezone: agent.timezone,
    hasLineNumbers,
    blocks,
    toolRules: agent.tool_rules as ToolRule[],
    metadata: promptMetadata,
  })
  return { systemPrompt, promptMetadata }
}

export const systemMessage = (text: string): NewMessage => ({
  id: newOrderedId('message'),
  role: 'system',
  content: [{ type: 'text', text }],
  search_text: null,
})
