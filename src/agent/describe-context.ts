import { estimateTokens } from '#llm/estimate-tokens.ts'
import type { ToolDefinition } from '#llm/model.ts'
import { countMemory } from '#store/conversations/save-prompt.ts'
import type { MessageRow } from '#store/messages/message-row.ts'
import type { NewRun } from '#store/runs/start-run.ts'
import { openPreview } from './open-preview.ts'
import type { RunLoopOptions, Turn } from './open-turn.ts'
import { splitSystemPrompt } from './prompts/split-system-prompt.ts'

/** A text of the context and its estimated tokens. */
interface Part {
  text: string | null
  tokens: number
}

/** What fills the context window of a thread. The tokens of all parts add up to `usedTokens`. */
export interface ContextDescription {
  agentId: string
  /** Null for the default conversation. */
  conversationId: string | null
  windowTokens: number
  usedTokens: number
  passageCount: number
  /** Messages of the agent in all its threads. */
  messageCount: number
  systemMessage: MessageRow
  /** The agent's own instructions. */
  instructions: Part
  /** Blocks. */
  memory: Part
  toolRules: Part
  directories: Part
  /** What the prompt says about memory outside the context. */
  metadata: Part
  summary: Part
  tools: { definitions: ToolDefinition[]; tokens: number }
  /** Without the system message and without the summary. */
  messageTokens: number
  /** With the summary, if there is one; oldest first. */
  messages: MessageRow[]
}

const toPart = (text: string | null): Part => ({ text, tokens: text === null ? 0 : estimateTokens(text) })

/** What a run of this thread would have in its context now. Throws not_found (thread, model). */
export async function describeContext(
  options: RunLoopOptions,
  organizationId: string,
  thread: NewRun['thread'],
): Promise<ContextDescription> {
  const turn = await openPreview(options, organizationId, thread)
  const counts = await countMemory(options.db, organizationId, turn.thread.agent_id)
  const parts = splitSystemPrompt(turn.systemPrompt)
  const texts = {
    instructions: toPart(parts.instructions),
    memory: toPart(parts.memory),
    toolRules: toPart(parts.toolRules),
    directories: toPart(parts.directories),
    metadata: toPart(parts.metadata),
  }
  const messages = messagesOf(turn)
  const tools = { definitions: turn.tools, tokens: estimateTokens(JSON.stringify(turn.tools)) }
  const promptTokens = Object.values(texts).reduce((sum, part) => sum + part.tokens, 0)
  return {
    ...texts,
    ...messages,
    tools,
    agentId: turn.thread.agent_id,
    conversationId: turn.thread.is_default ? null : turn.thread.conversation_id,
    windowTokens: turn.windowTokens,
    usedTokens: promptTokens + tools.tokens + messages.summary.tokens + messages.messageTokens,
    passageCount: counts.archival_count,
    messageCount: counts.messages,
    systemMessage: systemMessageOf(turn),
  }
}

function messagesOf(turn: Turn): Pick<ContextDescription, 'messages' | 'messageTokens' | 'summary'> {
  const shown = turn.rows.filter((row) => row.role !== 'note')
  const hasSummary = turn.rows[0]?.role === 'summary'
  const all = turn.rowTokens.reduce((sum, tokens) => sum + tokens, 0)
  const summaryTokens = hasSummary ? (turn.rowTokens[0] ?? 0) : 0
  const texts = hasSummary
    ? turn.rows[0]?.content.flatMap((part) => (part.type === 'text' ? [part.text] : []))
    : undefined
  return {
    messages: shown,
    messageTokens: all - summaryTokens,
    summary: { text: texts?.join('\n') ?? null, tokens: summaryTokens },
  }
}

/** The system message as the next turn would have it. */
const systemMessageOf = ({ thread, systemPrompt }: Turn): MessageRow => ({
  id: thread.system_message_id,
  seq: 0,
  agent_id: thread.agent_id,
  conversation_id: thread.conversation_id,
  role: 'system',
  content: [{ type: 'text', text: systemPrompt }],
  tool_calls: null,
  tool_returns: null,
  approvals: null,
  name: null,
  model: null,
  otid: null,
  step_id: null,
  run_id: null,
  sender_id: null,
  group_id: null,
  is_err: null,
  created_at: thread.system_message_created_at,
})
