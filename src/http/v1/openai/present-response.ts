import type { StopReason } from '#store/runs/run-row.ts'
import { finishReasonOf } from './chat-stream.ts'
import type { OpenAiError } from './openai-error.ts'
import type { ResponsesRequest } from './request-schema.ts'
import type { presentResponseUsage } from './usage.ts'

/** One message of the answer. */
export const presentOutput = (messageId: string, text: string) => ({
  type: 'message' as const,
  id: outputIdOf(messageId),
  status: 'completed' as const,
  role: 'assistant' as const,
  content: [presentText(text)],
})

export const presentText = (text: string) => ({ type: 'output_text' as const, text, annotations: [], logprobs: [] })

export const outputIdOf = (messageId: string): string => `msg_${messageId.replace(/^message-/, '')}`

export interface ResponseState {
  runId: string
  createdAt: number
  request: ResponsesRequest
  output: ReturnType<typeof presentOutput>[]
  usage: ReturnType<typeof presentResponseUsage> | null
  /** Undefined while it is being made. */
  stopReason?: StopReason
  error?: OpenAiError
}

/** A response of OpenAI's API: what an agent cannot be told is said with OpenAI's defaults. */
export function presentResponse({ runId, createdAt, request, output, usage, stopReason, error }: ResponseState) {
  const isCut = stopReason !== undefined && finishReasonOf(stopReason) === 'length'
  const ended = isCut ? ('incomplete' as const) : ('completed' as const)
  const status = error !== undefined ? ('failed' as const) : stopReason === undefined ? ('in_progress' as const) : ended
  return {
    id: `resp_${runId.replace(/^run-/, '')}`,
    object: 'response' as const,
    created_at: createdAt,
    status,
    background: false,
    error: error === undefined ? null : { code: error.code ?? 'server_error', message: error.message },
    incomplete_details: isCut ? { reason: 'max_output_tokens' } : null,
    instructions: null,
    max_output_tokens: null,
    max_tool_calls: null,
    metadata: request.metadata ?? {},
    model: request.model,
    output,
    parallel_tool_calls: true,
    previous_response_id: request.previous_response_id ?? null,
    reasoning: { effort: null, summary: null },
    service_tier: 'default',
    store: true,
    temperature: request.temperature ?? 1,
    text: { format: { type: 'text' } },
    tool_choice: 'auto',
    tools: [],
    top_p: request.top_p ?? 1,
    truncation: 'disabled',
    usage,
    user: request.user ?? null,
  }
}
