import { parseArgs } from 'node:util'
import { fastify } from 'fastify'
import { DEFAULT_ORGANIZATION_ID, newOrderedId } from '#platform/ids.ts'
import { emptyUsage } from '#runs/usage.ts'
import { findThread } from '#store/conversations/load-thread.ts'
import { listContextMessages } from '#store/messages/message-reader.ts'
import { openDatabase } from '#store/open-database.ts'
import { advanceRun } from '#store/runs/advance-run.ts'
import { insertRun } from '#store/runs/start-run.ts'
import { newRun, userMessage } from '../test/support/test-agent.ts'

// The floor of the benchmark: a bare Fastify handler that sends the statements of a turn without tools to the same database,
// with rows of the same shape, and does nothing else: no loop, no validation, no model.
const { values } = parseArgs({ options: { database: { type: 'string' }, port: { type: 'string' } } })
const db = await openDatabase({ kind: 'postgres', url: values.database ?? '', poolSize: 20 })
const app = fastify()

app.post<{ Params: { id: string }; Body: { input: string } }>('/turn/:id', async ({ params, body }) => {
  const request = newRun(params.id, body.input)
  const stepId = newOrderedId('step')
  const run = await insertRun(db, request, { owner: 'floor', leaseMs: 60_000 }, true)
  if (run === undefined) throw new Error('no such agent')
  const thread = await findThread(db, DEFAULT_ORGANIZATION_ID, run.conversation_id)
  if (thread === undefined) throw new Error('no such thread')
  const messages = await listContextMessages(db, DEFAULT_ORGANIZATION_ID, thread)
  const now = Date.now() * 1_000_000
  await advanceRun(
    db,
    { organizationId: DEFAULT_ORGANIZATION_ID, runId: run.id, token: run.lease_token },
    {
      agentId: run.agent_id,
      conversationId: run.conversation_id,
      stepCount: 0,
      messages: [
        { ...userMessage('Instant answer.'), role: 'assistant', step_id: stepId, model: 'openai/gpt-4o-mini' },
      ],
      steps: [
        {
          id: stepId,
          call_id: newOrderedId('call'),
          step_index: 1,
          status: 'success',
          stop_reason: 'end_turn',
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
        },
      ],
      toolCalls: [],
      usage: emptyUsage(),
      firstTokenNs: 1_000_000,
      ending: { status: 'completed', stopReason: 'end_turn', error: null },
      events: [],
    },
  )
  return { messages: messages.length }
})

await app.listen({ host: '127.0.0.1', port: Number(values.port) })
console.log('listening')
