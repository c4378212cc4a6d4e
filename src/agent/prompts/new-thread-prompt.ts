import type { ModelRegistry } from '#llm/model.ts'
import { newOrderedId } from '#platform/ids.ts'
import type { ThreadRow } from '#store/conversations/load-thread.ts'
import type { PromptMetadata } from '#store/conversations/prompt-metadata.ts'
import type { Queryable } from '#store/db.ts'
import type { NewMessage } from '#store/messages/message-row.ts'
import { handleLikesLineNumbers } from './likes-line-numbers.ts'
import { compileAnew } from './refresh-system-prompt.ts'

interface NewThread {
  organizationId: string
  /** The agent, with the blocks that the new thread sees. */
  agent: ThreadRow
  id: string
  /** Handle of the model that it talks with. */
  model: string
  /** Messages in its context, with the system message. */
  contextCount: number
}

/** The first system message of a thread that does not exist yet. */
export async function newThreadPrompt(
  { db, models }: { db: Queryable; models: ModelRegistry },
  { organizationId, agent, id, model, contextCount }: NewThread,
): Promise<{ systemMessage: NewMessage; systemPrompt: string; promptMetadata: PromptMetadata }> {
  const { prompt, metadata } = await compileAnew(db, {
    organizationId,
    thread: { ...agent, conversation_id: id, is_default: false },
    contextCount,
    hasLineNumbers: await handleLikesLineNumbers(models, model, organizationId),
    now: new Date(),
  })
  const systemMessage: NewMessage = {
    id: newOrderedId('message'),
    role: 'system',
    content: [{ type: 'text', text: prompt }],
    search_text: null,
  }
  return { systemMessage, systemPrompt: prompt, promptMetadata: metadata }
}
