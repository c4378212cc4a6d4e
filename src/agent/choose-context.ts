import { conflict, invalidArgument } from '#platform/errors.ts'
import { agentNotFound } from '#store/agents/require-agent.ts'
import { beginContext, listNewestMessages, lockDefaultContext } from '#store/conversations/choose-context.ts'
import type { Queryable } from '#store/db.ts'

/**
 * Lets the context of the agent's default thread begin with the first of these messages. They must be the system message and
 * then all messages from one of them to the newest, in their order: so no call loses its result in the middle, and what is left
 * out stays in recall memory, from where it can be taken back. The summary of what came before stays where it stands second.
 * Throws not_found, conflict (a run is at work, a request that waits would be left out), invalid_argument (any other choice).
 */
export async function chooseContext(
  tx: Queryable,
  organizationId: string,
  agentId: string,
  messageIds: readonly string[],
): Promise<void> {
  const thread = await lockDefaultContext(tx, organizationId, agentId)
  if (thread === undefined) throw agentNotFound(agentId)
  if (thread.is_busy) {
    throw conflict('CONFLICT: The agent is answering a message; change message_ids when it has done so.', {
      retryAfterSeconds: 1,
    })
  }
  const [first, ...others] = messageIds
  const keepsSummary = thread.summary_message_id !== null && others[0] === thread.summary_message_id
  const said = keepsSummary ? others.slice(1) : others
  const newest = said.length === 0 ? [] : await listNewestMessages(tx, organizationId, thread, said.length)
  const isTail = newest.length === said.length && newest.every(({ id }, index) => id === said[index])
  if (first !== thread.system_message_id || !isTail) {
    throw invalidArgument(
      'INVALID_ARGUMENT: message_ids: the context can begin later or earlier, but has no gaps: send the id of the system message, then those of all messages from one of them to the newest, in their order.',
    )
  }
  const { pending_approval_id: pending } = thread
  if (pending !== null && !said.includes(pending)) {
    throw conflict(
      `CONFLICT: message_ids: ${pending} asks for an approval and nobody has answered: answer it, or leave it in context.`,
      { canRetry: false },
    )
  }
  await beginContext(tx, organizationId, thread.conversation_id, newest[0]?.seq, keepsSummary)
}
