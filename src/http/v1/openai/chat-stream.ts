import type { EventStream } from '#http/wire/event-stream.ts'
import type { StopReason } from '#store/runs/run-row.ts'
import type { AnswerEnd, AnswerEvent } from './answer-reader.ts'
import { presentOpenAiError } from './openai-error.ts'
import type { AnswerWriter } from './stream-answer.ts'
import { presentChatUsage } from './usage.ts'

/** Between what an agent said before and after its work with tools. */
export const PARAGRAPH = '\n\n'

/** Of OpenAI's reasons the one that fits: an answer that was cut off, or one that is complete. */
export const finishReasonOf = (stopReason: StopReason): 'stop' | 'length' =>
  stopReason === 'max_tokens_exceeded' || stopReason === 'max_steps' ? 'length' : 'stop'

export const chatIdOf = (runId: string): string => `chatcmpl-${runId.replace(/^run-/, '')}`

/** Chunks of a chat completion. Reasoning goes into `reasoning_content`, which programs show where they know it. */
export class ChatStream implements AnswerWriter {
  readonly #stream: EventStream
  readonly #base: object
  readonly #hasUsage: boolean
  #messageId: string | undefined

  constructor(stream: EventStream, options: { runId: string; model: string; hasUsage: boolean }) {
    this.#stream = stream
    this.#hasUsage = options.hasUsage
    this.#base = {
      id: chatIdOf(options.runId),
      object: 'chat.completion.chunk',
      created: Math.floor(Date.now() / 1000),
      model: options.model,
      system_fingerprint: null,
    }
  }

  begin(): void {
    this.#send({ role: 'assistant', content: '' })
  }

  write(event: AnswerEvent): void {
    if (event.type === 'text') {
      const isNext = this.#messageId !== undefined && this.#messageId !== event.messageId
      this.#messageId = event.messageId
      this.#send({ content: isNext ? PARAGRAPH + event.text : event.text })
    } else if (event.type === 'reasoning') this.#send({ reasoning_content: event.text })
    else if (event.type === 'end') {
      if (event.failure === undefined) this.#end(event)
      else this.fail(event.failure)
    }
  }

  fail(error: Error): void {
    this.#stream.send({ error: presentOpenAiError(error) })
    this.#stream.end()
  }

  #end({ usage, stopReason }: AnswerEnd): void {
    this.#send({}, finishReasonOf(stopReason))
    if (this.#hasUsage) this.#stream.send({ ...this.#base, choices: [], usage: presentChatUsage(usage) })
    this.#stream.end()
  }

  #send(delta: object, finishReason: string | null = null): void {
    this.#stream.send({
      ...this.#base,
      choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }],
      ...(this.#hasUsage ? { usage: null } : {}),
    })
  }
}
