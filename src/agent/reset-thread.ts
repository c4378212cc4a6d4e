import type { ModelRegistry } from '#llm/model.ts'
import { conflict, notFound } from '#platform/errors.ts'
import { findThread } from '#store/conversations/load-thread.ts'
import { emptyDefaultThread, findDefaultThread } from '#store/conversations/reset-thread.ts'
import type { Db } from '#store/db.ts'
import { handleLikesLineNumbers } from './prompts/likes-line-numbers.ts'
import { recompileSystemPrompt } from './prompts/refresh-system-prompt.ts'

/**
 * Forgets everything said in an agent's default conversation; memory blocks and archives stay. A thread in which a run works
 * or waits is not touched.
 */
export async function resetThread(
  db: Db,
  models: ModelRegistry,
  organizationId: string,
  agentId: string,
): Promise<void> {
  const conversationId = await emptyDefaultThread(db, organizationId, agentId)
  if (conversationId === undefined) {
    const thread = await findDefaultThread(db, organizationId, agentId)
    if (thread === undefined) throw notFound('Agent not found')
    throw conflict('CONFLICT: The agent is working on a run. Cancel it, or wait until it has ended, and reset then.', {
      ...(thread.active_run_id === null ? {} : { extra: { run_id: thread.active_run_id } }),
    })
  }
  const thread = await findThread(db, organizationId, conversationId)
  if (thread === undefined) return
  await recompileSystemPrompt(db, {
    organizationId,
    thread,
    contextCount: 1,
    hasLineNumbers: await handleLikesLineNumbers(models, thread.model, organizationId),
    now: new Date(),
  })
}
