import type { ModelRegistry } from '#llm/model.ts'
import { findDefaultContext } from '#store/conversations/find-default-context.ts'
import { findThread } from '#store/conversations/load-thread.ts'
import type { Queryable } from '#store/db.ts'
import { handleLikesLineNumbers } from './prompts/likes-line-numbers.ts'
import { refreshSystemPrompt } from './prompts/refresh-system-prompt.ts'

/**
 * Compiles the prompt of an agent's default thread at once if its memory has changed. Turns do that by themselves when they
 * begin; this is for clients that edit a block of one agent and then read its system message.
 */
export async function refreshAgentPrompt(
  db: Queryable,
  models: ModelRegistry,
  organizationId: string,
  agentId: string,
): Promise<void> {
  const context = await findDefaultContext(db, organizationId, agentId)
  if (context === undefined) return
  const thread = await findThread(db, organizationId, context.conversation_id)
  if (thread === undefined) return
  await refreshSystemPrompt(db, {
    organizationId,
    thread,
    contextCount: context.message_count + 1,
    hasLineNumbers: await handleLikesLineNumbers(models, thread.model, organizationId),
    now: new Date(),
  })
}
