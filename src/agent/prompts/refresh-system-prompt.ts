import type { ToolRule } from '#agent/tool-rules/tool-rule.ts'
import { fileLimitsOf } from '#memory/files/file-limits.ts'
import type { ThreadRow } from '#store/conversations/load-thread.ts'
import type { PromptMetadata } from '#store/conversations/prompt-metadata.ts'
import { countMemory, saveSystemPrompt } from '#store/conversations/save-prompt.ts'
import type { Queryable } from '#store/db.ts'
import { compileSystemPrompt } from './compile-system-prompt.ts'

export interface PromptContext {
  organizationId: string
  thread: ThreadRow
  /** Messages in context, with the system message. */
  contextCount: number
  hasLineNumbers: boolean
  now: Date
}

const compile = ({ thread, hasLineNumbers }: PromptContext, metadata: PromptMetadata): string =>
  compileSystemPrompt({
    system: thread.system,
    agentType: thread.agent_type,
    agentId: thread.agent_id,
    conversationId: thread.is_default ? null : thread.conversation_id,
    timezone: thread.timezone,
    hasLineNumbers,
    blocks: thread.blocks,
    directories: thread.folders === null ? null : { folders: thread.folders, limits: fileLimitsOf(thread) },
    toolRules: thread.tool_rules as ToolRule[],
    metadata,
  })

/**
 * The system prompt for the next turn. It is compiled with the metadata of last time and compared: only when memory,
 * instructions or layout have changed is it compiled anew, with fresh counters, and stored. So it stays the same to the byte
 * between edits, and no writer of a shared block has to visit the agents that see it.
 */
export async function refreshSystemPrompt(db: Queryable, context: PromptContext): Promise<string> {
  return isCurrent(context) ? context.thread.system_prompt : recompileSystemPrompt(db, context)
}

/** The prompt that the next turn would have, without storing it. */
export async function previewSystemPrompt(db: Queryable, context: PromptContext): Promise<string> {
  return isCurrent(context) ? context.thread.system_prompt : (await compileAnew(db, context)).prompt
}

function isCurrent(context: PromptContext): boolean {
  const { archival_count, prompt_metadata, system_prompt } = context.thread
  return archival_count === prompt_metadata.archival_count && compile(context, prompt_metadata) === system_prompt
}

/** Compiles the prompt with fresh counters and stores it, whether or not anything has changed. */
export async function recompileSystemPrompt(db: Queryable, context: PromptContext): Promise<string> {
  const { prompt, metadata } = await compileAnew(db, context)
  const { organizationId, thread } = context
  await saveSystemPrompt(db, { organizationId, conversationId: thread.conversation_id }, prompt, metadata)
  return prompt
}

/** The prompt with fresh counters. @param compiledAt ISO 8601, where the prompt is not to say that it is of now */
export async function compileAnew(
  db: Queryable,
  context: PromptContext,
  compiledAt = context.now.toISOString(),
): Promise<{ prompt: string; metadata: PromptMetadata }> {
  const { thread, organizationId } = context
  const memory = await countMemory(db, organizationId, thread.agent_id)
  const metadata: PromptMetadata = {
    compiled_at: compiledAt,
    recall_count: Math.max(memory.messages - context.contextCount, 0),
    archival_count: memory.archival_count,
    archival_tags: memory.archival_tags,
  }
  return { prompt: compile(context, metadata), metadata }
}
