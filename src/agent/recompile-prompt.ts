import type { ModelRegistry } from '#llm/model.ts'
import { countContextMessages } from '#store/conversations/count-context.ts'
import { saveSystemPrompt } from '#store/conversations/save-prompt.ts'
import type { Queryable } from '#store/db.ts'
import type { NewRun } from '#store/runs/start-run.ts'
import { getThread } from './get-thread.ts'
import { handleLikesLineNumbers } from './prompts/likes-line-numbers.ts'
import { compileAnew } from './prompts/refresh-system-prompt.ts'

export interface RecompileOptions {
  /** Gives the prompt and stores nothing. */
  isDryRun: boolean
  /** Lets the prompt say that it is of now; else it goes on saying when it was compiled before. */
  updatesTimestamp: boolean
}

/**
 * Compiles the system prompt of a thread from its memory of this moment. Turns do that by themselves when memory has changed; this also
 * counts the messages and passages anew. Returns the prompt. Throws not_found.
 */
export async function recompilePrompt(
  { db, models }: { db: Queryable; models: ModelRegistry },
  organizationId: string,
  target: NewRun['thread'],
  { isDryRun, updatesTimestamp }: RecompileOptions,
): Promise<string> {
  const thread = await getThread(db, organizationId, target)
  const conversationId = thread.conversation_id
  const context = {
    organizationId,
    thread,
    contextCount: 1 + (await countContextMessages(db, organizationId, conversationId)),
    hasLineNumbers: await handleLikesLineNumbers(models, thread.conversation_model ?? thread.model, organizationId),
    now: new Date(),
  }
  const compiledAt = updatesTimestamp ? undefined : thread.prompt_metadata.compiled_at
  const { prompt, metadata } = await compileAnew(db, context, compiledAt)
  if (!isDryRun) await saveSystemPrompt(db, { organizationId, conversationId }, prompt, metadata)
  return prompt
}
