import type { ModelRegistry } from '#llm/model.ts'
import { conflict, notFound } from '#platform/errors.ts'
import { getAgent } from '#store/agents/agent-reader.ts'
import { findThread } from '#store/conversations/load-thread.ts'
import { emptyDefaultThread, findDefaultThread } from '#store/conversations/reset-thread.ts'
import type { Db } from '#store/db.ts'
import { bootMessages } from './boot-messages.ts'
import { engineOf } from './engines.ts'
import { handleLikesLineNumbers } from './prompts/likes-line-numbers.ts'
import { recompileSystemPrompt } from './prompts/refresh-system-prompt.ts'

/**
 * Forgets everything said in an agent's default conversation; memory blocks and archives stay. A thread in which a run works
 * or waits is not touched. `hasFirstMessages` puts back what stood in it when the agent was made.
 */
export async function resetThread(
  db: Db,
  models: ModelRegistry,
  organizationId: string,
  agentId: string,
  options: { hasFirstMessages?: boolean } = {},
): Promise<void> {
  const agent = options.hasFirstMessages ? await getAgent(db, organizationId, agentId, {}) : undefined
  const first =
    agent !== undefined && engineOf(agent.agent_type).hasBootMessages ? bootMessages(agent.timezone, new Date()) : []
  const conversationId = await emptyDefaultThread(db, organizationId, agentId, first)
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
    contextCount: 1 + first.length,
    hasLineNumbers: await handleLikesLineNumbers(models, thread.model, organizationId),
    now: new Date(),
  })
}
