import { cleanReply, cleanText } from '#llm/clean-reply.ts'
import type { Model, ModelReply, ModelRequest, ModelTiming } from '#llm/model.ts'
import { ModelError } from '#llm/model.ts'
import { newOrderedId } from '#platform/ids.ts'
import type { RunListener } from '#runs/run-events.ts'
import type { NewStep } from '#store/runs/advance-run.ts'
import type { StopReason } from '#store/runs/run-row.ts'
import type { Turn } from './open-turn.ts'
import { type Hearing, ReplyTeller } from './reply-teller.ts'

/** A model's answer under the ids that its stored message and step will have. */
export interface StepReply {
  messageId: string
  stepId: string
  reply: ModelReply
  timing: ModelTiming
}

/**
 * Asks the model once and passes its answer on while it comes; the answer can be stored, whatever the model wrote. Throws
 * ModelError, whose message can be stored too.
 */
export async function streamReply(
  model: Model,
  request: ModelRequest,
  emit: RunListener,
  hearing: Hearing,
): Promise<StepReply> {
  try {
    return await readReply(model, request, emit, hearing)
  } catch (error) {
    if (error instanceof ModelError) error.message = cleanText(error.message)
    throw error
  }
}

async function readReply(model: Model, request: ModelRequest, emit: RunListener, hearing: Hearing): Promise<StepReply> {
  const messageId = newOrderedId('message')
  const stepId = newOrderedId('step')
  const teller = new ReplyTeller({ messageId, stepId }, hearing, emit)
  for await (const event of model.stream(request)) {
    if (event.type === 'reply') return { messageId, stepId, reply: cleanReply(event.reply), timing: event.timing }
    if (event.type === 'retry') emit({ type: 'retry', error: event.error, delayMs: event.delayMs })
    else if (event.type === 'reasoning-delta') teller.reasoning(event.text)
    else if (event.type === 'text-delta') teller.text(event.text)
    else if (event.type === 'tool-call-start') teller.startCall(event.toolCallId, event.name)
    else teller.callArguments(event.toolCallId, event.argumentsDelta)
  }
  throw new ModelError('invalid_response', `${model.info.handle} ended its stream without an answer.`)
}

/** How the pieces of this step's answer are told. */
export function toHearing({ run, offer, additions, asked }: Turn): Hearing {
  const { view } = run.request
  return {
    isThought: offer.isThought,
    thinking: additions.thinking,
    asked,
    voice: view.use_assistant_message
      ? { tool: view.assistant_message_tool_name, argument: view.assistant_message_tool_kwarg }
      : null,
  }
}

/** The wire's stop reason for a provider's failure. */
export function stopReasonOf(error: ModelError): StopReason {
  if (error.kind === 'insufficient_credits') return 'insufficient_credits'
  if (error.kind === 'invalid_response') return 'invalid_llm_response'
  if (error.kind === 'context_window_exceeded') return 'context_window_overflow_in_system_prompt'
  if (error.kind === 'aborted') return 'cancelled'
  return 'llm_api_error'
}

const ERROR_TYPES: Partial<Record<ModelError['kind'], string>> = {
  rate_limit: 'llm_rate_limit',
  authentication: 'llm_authentication',
  timeout: 'llm_timeout',
  insufficient_credits: 'llm_insufficient_credits',
  bad_request: 'llm_bad_request',
  invalid_response: 'llm_empty_response',
  context_window_exceeded: 'context_window_overflow_in_system_prompt',
}

/** The wire's error_type for a provider's failure. */
export const errorTypeOf = (error: ModelError): string => ERROR_TYPES[error.kind] ?? 'llm_error'

const NS_PER_MS = 1_000_000

/** The step's row: what was asked of whom, how long it took and what it cost in tokens. Times begin with `startedAt` (epoch ms). */
export function buildStep(turn: Turn, said: StepReply, startedAt: number, stopReason: StopReason | null): NewStep {
  const { usage } = said.reply
  return {
    ...describeCall(turn, startedAt),
    id: said.stepId,
    status: 'success',
    stop_reason: stopReason,
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    cached_input_tokens: usage.cachedInputTokens,
    cache_write_tokens: usage.cacheWriteTokens,
    reasoning_tokens: usage.reasoningTokens,
    attempts: said.timing.attempts,
    first_token_ms: Math.round(said.timing.firstTokenMs),
    total_ms: Math.round(said.timing.totalMs),
    llm_request_ns: Math.round(said.timing.totalMs * NS_PER_MS),
  }
}

/** The row of a step whose model call failed. */
export function buildFailedStep(turn: Turn, error: ModelError, startedAt: number, stopReason: StopReason): NewStep {
  return {
    ...describeCall(turn, startedAt),
    status: error.kind === 'aborted' ? 'cancelled' : 'failed',
    stop_reason: stopReason,
    error_type: errorTypeOf(error),
    error_data: { kind: error.kind, status: error.status ?? null, message: error.message },
  }
}

/** The row of a step whose model call was given up because the run was cancelled: what it cost, the provider has not told. */
export function buildCancelledStep(turn: Turn, startedAt: number): NewStep {
  return { ...describeCall(turn, startedAt), status: 'cancelled', stop_reason: 'cancelled' }
}

function describeCall(turn: Turn, startedAt: number): NewStep {
  const { info } = turn.model
  const totalMs = Date.now() - startedAt
  return {
    id: newOrderedId('step'),
    call_id: newOrderedId('call'),
    step_index: turn.stepCount + 1,
    status: 'success',
    stop_reason: null,
    provider_name: info.providerName,
    provider_category: info.isByok ? 'byok' : 'base',
    model: info.name,
    model_handle: info.handle,
    model_endpoint: info.endpoint,
    context_window_limit: turn.windowTokens,
    prompt_tokens: 0,
    completion_tokens: 0,
    cached_input_tokens: null,
    cache_write_tokens: null,
    reasoning_tokens: null,
    error_type: null,
    error_data: null,
    request_id: turn.run.request.requestId,
    attempts: 1,
    first_token_ms: null,
    total_ms: totalMs,
    step_start_ns: startedAt * NS_PER_MS,
    llm_request_start_ns: startedAt * NS_PER_MS,
    llm_request_ns: totalMs * NS_PER_MS,
    step_ns: totalMs * NS_PER_MS,
  }
}
