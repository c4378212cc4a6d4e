import { notFound } from '#platform/errors.ts'
import { newOrderedId } from '#platform/ids.ts'
import { insertConversation } from '#store/conversations/conversation-writer.ts'
import { countContextMessages } from '#store/conversations/count-context.ts'
import { isShared, lockForkSource, shareMessages } from '#store/conversations/fork-conversation.ts'
import type { Queryable } from '#store/db.ts'
import { findMessageSeq } from '#store/messages/message-reader.ts'
import type { NewRun } from '#store/runs/start-run.ts'
import type { AgentAuthor } from './create-agent.ts'
import type { ConversationDeps } from './create-conversation.ts'
import { getThread, threadNotFound } from './get-thread.ts'
import { newThreadPrompt } from './prompts/new-thread-prompt.ts'

export interface ForkOptions {
  /** The last message of the source that the fork shares; all in its context where none is given. */
  untilMessageId?: string | undefined
  hidden?: boolean | undefined
}

/**
 * A conversation that goes on from what another one has in context: both show the same messages, which exist once, and what is said
 * from now on is each one's own. It has its own system message, and sees the agent's blocks: those of the source alone are not copied.
 * Returns its id. Throws not_found.
 */
export async function forkConversation(
  deps: ConversationDeps,
  author: AgentAuthor,
  thread: NewRun['thread'],
  { untilMessageId, hidden = false }: ForkOptions = {},
): Promise<string> {
  const { organizationId } = author
  const id = newOrderedId('conv')
  // the prompt asks for the model, so it is made before anything is locked
  const prompt = await promptOf(deps, organizationId, thread, id)
  await deps.db.transaction(async (tx) => {
    const source = await lockForkSource(tx, organizationId, thread)
    if (source === undefined) throw threadNotFound(thread)
    await insertConversation(tx, {
      organizationId,
      id,
      agentId: source.agent_id,
      fields: { ...source, hidden },
      ...prompt,
      context: { startSeq: source.context_start_seq, startAt: source.context_start_at },
      blocks: [],
      createdById: author.userId,
    })
    const last = untilMessageId && (await findMessageSeq(tx, organizationId, source.agent_id, untilMessageId))
    await shareMessages(tx, organizationId, { forkId: id, sourceId: source.id }, last || undefined)
    await requireShared(tx, organizationId, id, untilMessageId)
  })
  return id
}

async function promptOf(deps: ConversationDeps, organizationId: string, thread: NewRun['thread'], id: string) {
  const source = await getThread(deps.db, organizationId, thread)
  const agent = source.is_default ? source : await getThread(deps.db, organizationId, { agentId: source.agent_id })
  const contextCount = 1 + (await countContextMessages(deps.db, organizationId, source.conversation_id))
  const model = source.conversation_model ?? source.model
  return newThreadPrompt(deps, { organizationId, agent, id, model, contextCount })
}

/** Throws not_found for a message that the source does not have in context, or not at all. */
async function requireShared(
  tx: Queryable,
  organizationId: string,
  forkId: string,
  messageId: string | undefined,
): Promise<void> {
  if (messageId === undefined || (await isShared(tx, organizationId, forkId, messageId))) return
  throw notFound(`Message ${messageId} was not found in the context of the conversation that is to be forked.`)
}
