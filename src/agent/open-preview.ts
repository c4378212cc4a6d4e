import { newOrderedId } from '#platform/ids.ts'
import type { Queryable } from '#store/db.ts'
import type { RunRequest } from '#store/runs/run-row.ts'
import type { NewRun } from '#store/runs/start-run.ts'
import { getThreadId, threadNotFound } from './get-thread.ts'
import { openTurn, type RunLoopOptions, type Turn } from './open-turn.ts'
import { plainRequest } from './plain-request.ts'
import { previewSystemPrompt } from './prompts/refresh-system-prompt.ts'

/**
 * The turn that a run of this thread would begin with now. Nothing is stored, and no model is asked. Throws not_found (thread, model).
 */
export async function openPreview(
  options: RunLoopOptions,
  organizationId: string,
  thread: NewRun['thread'],
  request: RunRequest = plainRequest(1),
): Promise<Turn> {
  const { id, agent_id } = await getThreadId(options.db, organizationId, thread)
  const run = {
    organization_id: organizationId,
    id: newOrderedId('run'),
    agent_id,
    conversation_id: id,
    background: false,
    request,
    step_count: 0,
    usage: {},
    lease_token: 0,
    created_at: new Date(),
    cancel_requested_at: null,
  }
  const turn = await openTurn(options, run, {
    refresh: (db: Queryable, context) => previewSystemPrompt(db, context),
    trim: async () => {},
  })
  if (turn === undefined) throw threadNotFound(thread)
  return turn
}
