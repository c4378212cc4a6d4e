import { DEFAULT_ORGANIZATION_ID, newOrderedId } from '#platform/ids.ts'
import { emptyUsage } from '#runs/usage.ts'
import { findThread } from '#store/conversations/load-thread.ts'
import type { Queryable } from '#store/db.ts'
import { listContextMessages } from '#store/messages/message-reader.ts'
import { advanceRun, type NewStep, type NewToolCall, type RunEnding } from '#store/runs/advance-run.ts'
import { insertRun } from '#store/runs/start-run.ts'
import { commitToolResult } from '#store/tool-calls/commit-tool-result.ts'
import { newRun, userMessage } from '../../test/support/test-agent.ts'

/**
 * What every candidate must do to our tables in a turn of two steps with one memory tool, whoever looks after the turn: our own
 * statements, one function each. A candidate puts its own bookkeeping around them, or in one transaction with them where it can.
 */

/** A turn that was accepted. Plain data: some candidates store it as JSON. */
export interface AcceptedTurn {
  runId: string
  agentId: string
  conversationId: string
  leaseToken: number
}

/** The call of the first step, still without a result. */
export interface OpenCall {
  stepId: string
  callId: string
  createdAt: string
  blockId: string
  blockVersion: number
}

const organizationId = DEFAULT_ORGANIZATION_ID

/** Stores the message and the run. The lease is longer than any turn here: whoever looks after the turn is the candidate. */
export async function acceptMessage(db: Queryable, runId: string, agentId: string): Promise<AcceptedTurn> {
  const request = { ...newRun(agentId, 'Remember that I like tea.'), runId }
  const run = await insertRun(db, request, { owner: 'candidate', leaseMs: 3_600_000 }, true)
  if (run === undefined) throw new Error('no such agent')
  return { runId, agentId, conversationId: run.conversation_id, leaseToken: run.lease_token }
}

/** Reads what a model would be shown. */
export async function readContext(
  db: Queryable,
  turn: AcceptedTurn,
): Promise<{ blockId: string; blockVersion: number }> {
  const thread = await findThread(db, organizationId, turn.conversationId)
  if (thread === undefined) throw new Error('no such thread')
  await listContextMessages(db, organizationId, thread)
  const block = thread.blocks.find(({ label }) => label === 'human')
  if (block === undefined) throw new Error('no such block')
  return { blockId: block.id, blockVersion: block.version }
}

/** The first step: the model called a tool. */
export async function commitCall(
  db: Queryable,
  turn: AcceptedTurn,
  block: { blockId: string; blockVersion: number },
): Promise<OpenCall> {
  const step = newStep(1)
  const call: NewToolCall = {
    id: newOrderedId('call'),
    step_id: step.id,
    position: 0,
    tool_call_id: newOrderedId('call'),
    tool_name: 'memory_insert',
    arguments: '{"label":"human","new_string":"Likes tea."}',
    created_at: new Date().toISOString(),
  }
  const spoken = { tool_call_id: call.tool_call_id, name: call.tool_name, arguments: call.arguments }
  await advance(db, turn, 0, step, { tool_calls: [spoken] }, [call], null)
  return { ...block, stepId: step.id, callId: call.id, createdAt: call.created_at }
}

/** Effect and result of the tool. */
export async function commitEffect(db: Queryable, turn: AcceptedTurn, call: OpenCall): Promise<void> {
  const result = {
    tool_call_id: call.callId,
    name: 'memory_insert',
    status: 'success' as const,
    text: 'Done.',
    stdout: null,
    stderr: null,
    time: new Date().toISOString(),
  }
  const outcome = await commitToolResult(
    db,
    { organizationId, runId: turn.runId, token: turn.leaseToken },
    {
      agentId: turn.agentId,
      conversationId: turn.conversationId,
      call: { id: call.callId, created_at: call.createdAt },
      result,
      edits: [
        {
          id: call.blockId,
          expected_version: call.blockVersion,
          label: 'human',
          value: 'Likes tea.',
          description: null,
        },
      ],
      newBlocks: [],
      detachedBlockIds: [],
      fileViews: [],
      passages: [],
      newArchiveId: newOrderedId('archive'),
      messages: [{ ...userMessage('Done.'), role: 'tool', step_id: call.stepId, tool_returns: [result] }],
      events: [],
    },
  )
  if (outcome !== 'committed') throw new Error(outcome)
}

/** The second step: the model answered, and the run is over. */
export async function commitAnswer(db: Queryable, turn: AcceptedTurn): Promise<void> {
  await advance(db, turn, 1, newStep(2), {}, [], { status: 'completed', stopReason: 'end_turn', error: null })
}

async function advance(
  db: Queryable,
  turn: AcceptedTurn,
  stepCount: number,
  step: NewStep,
  over: object,
  toolCalls: NewToolCall[],
  ending: RunEnding | null,
): Promise<void> {
  const waiting = await advanceRun(
    db,
    { organizationId, runId: turn.runId, token: turn.leaseToken },
    {
      agentId: turn.agentId,
      conversationId: turn.conversationId,
      stepCount,
      messages: [{ ...userMessage('Instant answer.'), role: 'assistant', step_id: step.id, ...over }],
      steps: [step],
      toolCalls,
      usage: emptyUsage(),
      firstTokenNs: 1_000_000,
      ending,
      events: [],
    },
  )
  if (waiting === undefined) throw new Error('lease lost')
}

function newStep(index: number): NewStep {
  const now = Date.now() * 1_000_000
  return {
    id: newOrderedId('step'),
    call_id: newOrderedId('call'),
    step_index: index,
    status: 'success',
    stop_reason: null,
    provider_name: 'openai',
    model: 'gpt-4o-mini',
    model_handle: 'openai/gpt-4o-mini',
    model_endpoint: null,
    context_window_limit: 128_000,
    prompt_tokens: 100,
    completion_tokens: 10,
    cached_input_tokens: null,
    cache_write_tokens: null,
    reasoning_tokens: null,
    error_type: null,
    error_data: null,
    request_id: null,
    attempts: 1,
    first_token_ms: 1,
    total_ms: 1,
    step_start_ns: now,
    llm_request_start_ns: now,
    llm_request_ns: 1_000_000,
    step_ns: 1_000_000,
  }
}
