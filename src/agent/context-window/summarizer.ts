import { addAbortListener } from 'node:events'
import { describeCall, measuredCall, readWholeReply } from '#agent/provider-call.ts'
import { cleanReply, cleanText } from '#llm/clean-reply.ts'
import { type Model, ModelError, type ModelEvent, type ModelRequest } from '#llm/model.ts'
import type { ProviderCall } from '#store/provider-calls/provider-call.ts'

type Reply = Extract<ModelEvent, { type: 'reply' }>

/** Calls models for a summary until its time is over, and keeps account of each call. */
export class Summarizer {
  /** For the ledger, in order. */
  readonly calls: ProviderCall[] = []
  readonly #owner: AbortSignal
  readonly #deadline: AbortSignal
  readonly #timeoutMs: number
  readonly #signal: AbortSignal

  /** @param owner aborts when the summary is not wanted any more */
  constructor(owner: AbortSignal, timeoutMs: number) {
    this.#owner = owner
    this.#timeoutMs = timeoutMs
    this.#deadline = AbortSignal.timeout(timeoutMs)
    this.#signal = AbortSignal.any([owner, this.#deadline])
  }

  /** No further call can come to anything. */
  get isOver(): boolean {
    return this.#signal.aborted
  }

  /** Whoever wanted the summary does not want it any more. */
  get isUnwanted(): boolean {
    return this.#owner.aborted
  }

  /** Waits for something no longer than there is time. Throws ModelError `timeout` or `aborted`. */
  async within<Result>(work: Promise<Result>): Promise<Result> {
    const over = Promise.withResolvers<never>()
    // what is not waited for any more may fail as it likes
    work.catch(() => {})
    using _ = addAbortListener(this.#signal, () => over.reject(this.#overError()))
    return await Promise.race([work, over.promise])
  }

  /** The text that a model answers with. Throws ModelError, also for an answer without text. */
  async ask(model: Model, request: Omit<ModelRequest, 'signal'>): Promise<string> {
    const startedAt = new Date()
    let reply: Reply
    try {
      reply = await this.within(readWholeReply(model, { ...request, signal: this.#signal }))
    } catch (cause) {
      const error = this.#toError(model, cause)
      this.calls.push(failedCall(model, startedAt, error))
      throw error
    }
    const text = cleanReply(reply.reply)
      .content.flatMap((part) => (part.type === 'text' ? [part.text] : []))
      .join('\n')
      .trim()
    const problem =
      text === '' ? new ModelError('invalid_response', `${model.info.handle} wrote no summary.`) : undefined
    this.calls.push(finishedCall(model, startedAt, reply, problem))
    if (problem !== undefined) throw problem
    return text
  }

  #overError(): ModelError {
    if (this.#owner.aborted) return new ModelError('aborted', 'The summary was cancelled.')
    return new ModelError('timeout', `No summary came within ${Math.round(this.#timeoutMs / 1000)} s.`)
  }

  #toError(model: Model, cause: unknown): ModelError {
    if (this.#signal.aborted) return this.#overError()
    if (!(cause instanceof ModelError)) {
      return new ModelError('server_error', `${model.info.handle} failed while it wrote a summary.`, { cause })
    }
    cause.message = cleanText(cause.message)
    return cause
  }
}

const failedCall = (model: Model, startedAt: Date, error: ModelError): ProviderCall => ({
  ...describeCall('summary', model, startedAt),
  status: error.kind === 'aborted' ? 'cancelled' : 'failed',
  error_type: error.kind,
})

function finishedCall(
  model: Model,
  startedAt: Date,
  { reply, timing }: Reply,
  problem: ModelError | undefined,
): ProviderCall {
  const { usage } = cleanReply(reply)
  return {
    ...describeCall('summary', model, startedAt),
    status: problem === undefined ? 'success' : 'failed',
    error_type: problem?.kind ?? null,
    ...measuredCall(usage, timing),
  }
}
