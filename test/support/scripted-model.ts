import { setTimeout as sleep } from 'node:timers/promises'
import type { FinishReason, ModelEvent, ModelRegistry, ModelRequest, Usage } from '#llm/model.ts'
import { ModelError } from '#llm/model.ts'
import { testModelRegistry } from './test-models.ts'

/** What a scripted model says to one request. */
export interface ScriptedReply {
  reasoning?: string
  text?: string
  toolCalls?: { name: string; arguments: unknown; id?: string }[]
  finishReason?: FinishReason
  usage?: Partial<Usage>
  /** Milliseconds before the first event; ended early by an abort. */
  delayMs?: number
  /** Thrown instead of a reply, after the delay. */
  error?: ModelError
}

export type Script = (request: ModelRequest, index: number) => ScriptedReply | Promise<ScriptedReply>

/** A model that answers by a function, and keeps what it was asked. Checks each transcript as strict providers do. */
export function scriptedModel(script: Script): { registry: ModelRegistry; requests: ModelRequest[] } {
  const requests: ModelRequest[] = []
  async function* stream(request: ModelRequest): AsyncGenerator<ModelEvent> {
    const index = requests.push(structuredClone({ ...request, signal: undefined }) as unknown as ModelRequest) - 1
    refuseInvalidTranscript(request)
    const reply = await script(request, index)
    if (reply.delayMs !== undefined) await sleep(reply.delayMs, undefined, { signal: request.signal }).catch(() => {})
    if (request.signal.aborted) throw new ModelError('aborted', 'aborted')
    if (reply.error !== undefined) throw reply.error
    const toolCalls = (reply.toolCalls ?? []).map((call, position) => ({
      tool_call_id: call.id ?? `call_${index}_${position}`,
      name: call.name,
      arguments: typeof call.arguments === 'string' ? call.arguments : JSON.stringify(call.arguments),
    }))
    if (reply.reasoning !== undefined) yield { type: 'reasoning-delta', text: reply.reasoning }
    for (const word of reply.text?.match(/\S+\s*/g) ?? []) yield { type: 'text-delta', text: word }
    for (const call of toolCalls) {
      yield { type: 'tool-call-start', toolCallId: call.tool_call_id, name: call.name }
      yield { type: 'tool-call-delta', toolCallId: call.tool_call_id, argumentsDelta: call.arguments }
    }
    yield {
      type: 'reply',
      reply: {
        content: [
          ...(reply.reasoning === undefined
            ? []
            : [{ type: 'reasoning' as const, reasoning: reply.reasoning, signature: 'signed' }]),
          ...(reply.text === undefined ? [] : [{ type: 'text' as const, text: reply.text }]),
        ],
        toolCalls,
        finishReason: reply.finishReason ?? (toolCalls.length > 0 ? 'tool-calls' : 'stop'),
        usage: {
          inputTokens: 100,
          outputTokens: 10,
          cachedInputTokens: null,
          cacheWriteTokens: null,
          reasoningTokens: null,
          ...reply.usage,
        },
      },
      timing: { firstTokenMs: 1, totalMs: 2, attempts: 1 },
    }
  }
  return { registry: testModelRegistry(stream), requests }
}

/** Each call must be followed at once by exactly one result, and there must be something to answer. */
export function refuseInvalidTranscript({ messages }: ModelRequest): void {
  const problem = (text: string) =>
    new ModelError('bad_request', `invalid transcript: ${text}\n${JSON.stringify(messages, null, 1)}`)
  if (messages[0]?.role !== 'system') throw problem('no system message first')
  messages.forEach((message, index) => {
    const next = messages[index + 1]
    if (message.role === 'assistant' && message.toolCalls.length > 0) {
      const wanted = message.toolCalls.map((call) => call.tool_call_id).join()
      const given = next?.role === 'tool' ? next.results.map((result) => result.tool_call_id).join() : 'none'
      if (wanted !== given) throw problem(`calls ${wanted} have results ${given}`)
    }
    if (message.role === 'tool') {
      const before = messages[index - 1]
      if (before?.role !== 'assistant' || before.toolCalls.length === 0) throw problem(`orphan result at ${index}`)
    }
    if (
      (message.role === 'user' || message.role === 'assistant') &&
      message.content.length === 0 &&
      !('toolCalls' in message && message.toolCalls.length > 0)
    ) {
      throw problem(`empty message at ${index}`)
    }
  })
}

/** The last thing the user said. */
export function lastUserText({ messages }: ModelRequest): string {
  const last = messages.findLast((message) => message.role === 'user')
  return last?.content.map((part) => (part.type === 'text' ? part.text : '')).join('') ?? ''
}
