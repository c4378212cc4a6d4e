import { type Model, ModelError, type ModelEvent, type ModelRequest, type ModelTiming, type Usage } from '#llm/model.ts'
import { newOrderedId } from '#platform/ids.ts'
import type { ProviderCall } from '#store/provider-calls/provider-call.ts'

/** The model's answer when it is whole; nobody hears its pieces. Throws ModelError. */
export async function readWholeReply(
  model: Model,
  request: ModelRequest,
): Promise<Extract<ModelEvent, { type: 'reply' }>> {
  for await (const event of model.stream(request)) {
    if (event.type === 'reply') return event
  }
  throw new ModelError('invalid_response', `${model.info.handle} ended its stream without an answer.`)
}

/** The row of the ledger for a call that is no step of a run, as far as it is known without its answer. */
export const describeCall = (purpose: ProviderCall['purpose'], { info }: Model, startedAt: Date): ProviderCall => ({
  id: newOrderedId('call'),
  purpose,
  provider_name: info.providerName,
  model_handle: info.handle,
  status: 'success',
  error_type: null,
  attempts: 1,
  input_tokens: 0,
  cached_input_tokens: 0,
  cache_write_tokens: 0,
  output_tokens: 0,
  reasoning_tokens: 0,
  first_token_ms: null,
  total_ms: Date.now() - startedAt.getTime(),
  created_at: startedAt.toISOString(),
})

/** What the answer adds to the row: tokens and times. */
export const measuredCall = (usage: Usage, timing: ModelTiming) => ({
  attempts: timing.attempts,
  input_tokens: usage.inputTokens,
  cached_input_tokens: usage.cachedInputTokens ?? 0,
  cache_write_tokens: usage.cacheWriteTokens ?? 0,
  output_tokens: usage.outputTokens,
  reasoning_tokens: usage.reasoningTokens ?? 0,
  first_token_ms: Math.round(timing.firstTokenMs),
  total_ms: Math.round(timing.totalMs),
})
