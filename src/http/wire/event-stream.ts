import type { ServerResponse } from 'node:http'

/**
 * Bytes that may wait for a client that reads slower than events come. Beyond it the connection is cut: what was said is
 * stored, and the client can list it.
 */
const MAX_PENDING_BYTES = 8 * 1024 * 1024

/**
 * Server-sent events on a response. Ordinary events have no `event:` line, since the SDKs only yield those without; errors
 * have `event: error`, which makes the SDKs throw. After the client has gone, writing does nothing.
 */
export class EventStream {
  readonly #response: ServerResponse
  readonly #onOverflow: () => void
  #isOpen: boolean

  /** @param onOverflow called when the client is cut off because it does not read */
  constructor(response: ServerResponse, onOverflow: () => void = () => {}) {
    this.#response = response
    this.#onOverflow = onOverflow
    // the client can have gone while the run was being started
    this.#isOpen = !response.destroyed
    response.once('close', () => {
      this.#isOpen = false
    })
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  send(data: object): void {
    this.#write(`data: ${JSON.stringify(data)}\n\n`)
  }

  sendError(data: object): void {
    this.#write(`event: error\ndata: ${JSON.stringify(data)}\n\n`)
  }

  /** Says that the stream is complete, and ends it. */
  end(): void {
    this.#write('data: [DONE]\n\n')
    if (this.#isOpen) this.#response.end()
    this.#isOpen = false
  }

  #write(text: string): void {
    if (!this.#isOpen) return
    this.#response.write(text)
    if (this.#response.writableLength <= MAX_PENDING_BYTES) return
    this.#isOpen = false
    this.#response.destroy()
    this.#onOverflow()
  }
}
