import { previewRequest } from '#llm/preview-request.ts'
import type { MessageRow, NewMessage } from '#store/messages/message-row.ts'
import type { NewRun } from '#store/runs/start-run.ts'
import { toModelRequest } from './ask-model.ts'
import { rowLimit } from './context-window/context-limits.ts'
import { estimateRow, fitContext } from './context-window/fit-context.ts'
import { offerTools } from './offer-tools.ts'
import { openPreview } from './open-preview.ts'
import type { RunLoopOptions, Turn } from './open-turn.ts'

/**
 * What the model's provider would get as the first request of a run, as JSON of its API. Nothing is stored, and nothing sent. Throws
 * not_found (thread, model).
 */
export async function previewModelRequest(options: RunLoopOptions, run: NewRun): Promise<Record<string, unknown>> {
  const turn = await openPreview(options, run.organizationId, run.thread, run.request)
  const rows = [...turn.rows, ...run.input.map((message) => toRow(turn, message))]
  const fit = fitContext({
    rows,
    tokens: rows.map(estimateRow),
    limitTokens: rowLimit(turn),
  })
  turn.offer = offerTools({ ...turn, rows: fit.rows })
  return previewRequest(turn.model, toModelRequest(turn, fit.rows, new AbortController().signal))
}

/** A message of the request as the thread would have it. */
const toRow = (turn: Turn, message: NewMessage): MessageRow => ({
  id: message.id,
  seq: Number.MAX_SAFE_INTEGER,
  agent_id: turn.thread.agent_id,
  conversation_id: turn.thread.conversation_id,
  role: message.role,
  content: message.content,
  tool_calls: null,
  tool_returns: null,
  approvals: null,
  name: message.name ?? null,
  model: null,
  otid: message.otid ?? null,
  step_id: null,
  run_id: turn.run.id,
  sender_id: message.sender_id ?? null,
  group_id: null,
  is_err: null,
  created_at: new Date(),
})
