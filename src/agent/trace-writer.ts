import { setTimeout as sleep } from 'node:timers/promises'
import { ModelError, type ModelInfo, type ModelReply, type ModelRequest } from '#llm/model.ts'
import { errorMessage } from '#platform/errors.ts'
import { newOrderedId } from '#platform/ids.ts'
import type { Logger } from '#platform/logger.ts'
import type { Queryable } from '#store/db.ts'
import { insertProviderTrace, type NewProviderTrace } from '#store/provider-traces/provider-trace.ts'

/** One call to a provider that is over. */
export interface TracedCall {
  organizationId: string
  stepId: string
  runId: string
  agentId: string
  callType: NewProviderTrace['callType']
  model: ModelInfo
  request: ModelRequest
  outcome: ModelReply | ModelError
}

/** Calls that wait to be written; more than that are not kept, so that a slow database costs traces and no memory. */
const MAX_WAITING = 100
/** A request or an answer above this (characters of JSON) is replaced by its size. */
const MAX_JSON_CHARS = 8 * 1024 * 1024
/** How long the end of the process waits for what is not written yet. */
const FLUSH_MS = 2_000

/** Writes traces one after the other beside the turns, which never wait for it. A trace can be lost; a turn is not. */
export class TraceWriter implements AsyncDisposable {
  readonly #db: Queryable
  readonly #logger: Logger
  readonly #waiting: TracedCall[] = []
  #writing: Promise<void> | undefined
  #lost = 0

  constructor({ db, logger }: { db: Queryable; logger: Logger }) {
    this.#db = db
    this.#logger = logger
  }

  add(call: TracedCall): void {
    if (this.#waiting.length >= MAX_WAITING) {
      this.#lost += 1
      return
    }
    this.#waiting.push(call)
    this.#writing ??= this.#writeAll()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const abort = new AbortController()
    await Promise.race([this.#writing, sleep(FLUSH_MS, undefined, { signal: abort.signal }).catch(() => {})])
    abort.abort()
    this.#waiting.length = 0
  }

  async #writeAll(): Promise<void> {
    // after whatever the turn has to do now
    await new Promise<void>((resolve) => setImmediate(resolve))
    for (let call = this.#waiting.shift(); call !== undefined; call = this.#waiting.shift()) {
      try {
        await insertProviderTrace(this.#db, toTrace(call))
      } catch (error) {
        this.#logger.warn({ error: errorMessage(error), step_id: call.stepId }, 'a provider trace was not kept')
      }
    }
    this.#writing = undefined
    if (this.#lost === 0) return
    this.#logger.warn({ count: this.#lost }, 'provider traces were not kept: the database was too slow for them')
    this.#lost = 0
  }
}

function toTrace({ model, request, outcome, ...call }: TracedCall): NewProviderTrace {
  const { messages, tools, toolChoice, settings } = request
  return {
    ...call,
    id: newOrderedId('provider_trace'),
    // models without a provider behind them, such as the demonstration, send nothing
    request: toJson(request.trace?.sent ?? { messages, tools, tool_choice: toolChoice, settings }),
    response: toJson(toResponse(outcome)),
    llmConfig: toJson({
      handle: model.handle,
      model: model.name,
      model_endpoint_type: model.endpointType,
      model_endpoint: model.endpoint,
      provider_name: model.providerName,
      provider_category: model.isByok ? 'byok' : 'base',
      context_window: model.contextWindow,
    }),
  }
}

function toResponse(outcome: ModelReply | ModelError): Record<string, unknown> {
  if (outcome instanceof ModelError) {
    return { error: { kind: outcome.kind, status: outcome.status ?? null, message: outcome.message } }
  }
  const { content, toolCalls, finishReason, usage } = outcome
  return { content, tool_calls: toolCalls, finish_reason: finishReason, usage }
}

/** Some of the AI SDK's bodies are text already. */
function toJson(value: unknown): string {
  const text = typeof value === 'string' && isJson(value) ? value : JSON.stringify(value)
  return text.length <= MAX_JSON_CHARS ? text : JSON.stringify({ omitted: true, size_chars: text.length })
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
