import type { EventStream } from '#http/wire/event-stream.ts'
import type { AnswerEnd, AnswerEvent } from './answer-reader.ts'
import { presentOpenAiError } from './openai-error.ts'
import { outputIdOf, presentOutput, presentResponse, presentText, type ResponseState } from './present-response.ts'
import type { ResponsesRequest } from './request-schema.ts'
import type { AnswerWriter } from './stream-answer.ts'
import { presentResponseUsage } from './usage.ts'

/** The events of OpenAI's responses: each message of the agent is an item of the output. */
export class ResponseStream implements AnswerWriter {
  readonly #stream: EventStream
  readonly #state: ResponseState
  #sequence = 0
  /** The message that is being said. */
  #open: { messageId: string; text: string } | undefined

  constructor(stream: EventStream, options: { runId: string; request: ResponsesRequest }) {
    this.#stream = stream
    this.#state = { ...options, createdAt: Math.floor(Date.now() / 1000), output: [], usage: null }
  }

  begin(): void {
    this.#sendResponse('response.created')
    this.#sendResponse('response.in_progress')
  }

  write(event: AnswerEvent): void {
    if (event.type === 'text') this.#say(event.messageId, event.text)
    else if (event.type === 'message-end') this.#closeItem()
    else if (event.type === 'end') {
      this.#closeItem()
      if (event.failure === undefined) this.#end(event)
      else this.fail(event.failure)
    }
  }

  fail(error: Error): void {
    this.#closeItem()
    this.#state.error = presentOpenAiError(error)
    this.#sendResponse('response.failed')
    this.#stream.close()
  }

  #end({ usage, stopReason }: AnswerEnd): void {
    this.#state.usage = presentResponseUsage(usage)
    this.#state.stopReason = stopReason
    const { status } = presentResponse(this.#state)
    this.#sendResponse(status === 'incomplete' ? 'response.incomplete' : 'response.completed')
    this.#stream.close()
  }

  #say(messageId: string, text: string): void {
    if (this.#open?.messageId !== messageId) {
      this.#closeItem()
      this.#open = { messageId, text: '' }
      const item = { ...presentOutput(messageId, ''), status: 'in_progress', content: [] }
      this.#send('response.output_item.added', { output_index: this.#state.output.length, item })
      this.#sendPart('response.content_part.added', { part: presentText('') })
    }
    this.#open.text += text
    this.#sendPart('response.output_text.delta', { delta: text, logprobs: [] })
  }

  #closeItem(): void {
    if (this.#open === undefined) return
    const { messageId, text } = this.#open
    this.#sendPart('response.output_text.done', { text, logprobs: [] })
    this.#sendPart('response.content_part.done', { part: presentText(text) })
    const item = presentOutput(messageId, text)
    this.#send('response.output_item.done', { output_index: this.#state.output.length, item })
    this.#state.output.push(item)
    this.#open = undefined
  }

  #sendPart(type: string, fields: object): void {
    const itemId = outputIdOf(this.#open?.messageId ?? '')
    this.#send(type, { item_id: itemId, output_index: this.#state.output.length, content_index: 0, ...fields })
  }

  #sendResponse(type: string): void {
    this.#send(type, { response: presentResponse(this.#state) })
  }

  #send(type: string, fields: object): void {
    this.#stream.sendNamed(type, { type, sequence_number: this.#sequence++, ...fields })
  }
}
