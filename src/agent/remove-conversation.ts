import { setTimeout as sleep } from 'node:timers/promises'
import { conflict } from '#platform/errors.ts'
import type { RunEngine } from '#runs/run-engine.ts'
import { listActiveRunsOfThread } from '#store/conversations/conversation-reader.ts'
import { deleteConversation, lockConversationToDelete } from '#store/conversations/delete-conversation.ts'
import type { Db } from '#store/db.ts'
import type { AgentAuthor } from './create-agent.ts'
import { conversationNotFound, getThreadId } from './get-thread.ts'

/** Time that runs which are cancelled get to stop. */
const PATIENCE_MS = 5000
const PAUSE_MS = 50

/**
 * Deletes a conversation with its own blocks and with its messages, but for those that forks share. What still works or waits in it
 * is cancelled first. Throws not_found, and conflict where a run does not stop.
 */
export async function removeConversation(
  { db, runs }: { db: Db; runs: Pick<RunEngine, 'cancel'> },
  author: AgentAuthor,
  id: string,
): Promise<void> {
  const { organizationId, userId } = author
  const thread = await getThreadId(db, organizationId, { conversationId: id })
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    const state = await db.transaction(async (tx) => {
      const found = await lockConversationToDelete(tx, organizationId, id)
      if (found === 'free') await deleteConversation(tx, organizationId, id, userId)
      return found
    })
    if (state === 'free') return
    if (state === 'unknown') throw conversationNotFound(id)
    const active = await listActiveRunsOfThread(db, organizationId, thread)
    if (Date.now() > deadline) throw stillBusy(active[0])
    // the last first, so that nothing that waits starts meanwhile
    for (const runId of active.toReversed()) await runs.cancel(organizationId, runId)
    await sleep(PAUSE_MS)
  }
}

const stillBusy = (runId: string | undefined) =>
  conflict(
    'CONFLICT: A run is at work in this conversation and was asked to stop. Delete the conversation when it has.',
    {
      retryAfterSeconds: 1,
      ...(runId === undefined ? {} : { extra: { run_id: runId } }),
    },
  )
