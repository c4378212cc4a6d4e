/** An answer that is longer than it may be. */
export class ResponseTooLarge extends Error {
  constructor(maxBytes: number) {
    super(`its answer has more than ${maxBytes} bytes (PERDURE_MCP_MAX_RESPONSE_SIZE)`)
  }
}

interface BodyEvents {
  onTooLarge(error: ResponseTooLarge): void
  /** Once, when the body is over, whole or broken. */
  onEnd(hadEventIds: boolean): void
}

/**
 * The same body, which breaks with ResponseTooLarge beyond a size: of a stream of events each one is measured, of anything else the
 * whole.
 */
export function limitBody(
  body: ReadableStream<Uint8Array>,
  limit: { maxBytes: number; isEventStream: boolean },
  events: BodyEvents,
): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  const meter = limit.isEventStream ? new EventMeter() : new ByteMeter()
  let isOver = false
  const end = () => {
    if (isOver) return
    isOver = true
    events.onEnd(meter.hasIds)
  }
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read()
        if (done) {
          controller.close()
          end()
          return
        }
        meter.take(value)
        if (meter.bytes <= limit.maxBytes) return controller.enqueue(value)
        const error = new ResponseTooLarge(limit.maxBytes)
        events.onTooLarge(error)
        controller.error(error)
        reader.cancel(error).catch(() => {})
        end()
      } catch (error) {
        controller.error(error)
        end()
      }
    },
    cancel(reason) {
      end()
      return reader.cancel(reason)
    },
  })
}

class ByteMeter {
  bytes = 0
  readonly hasIds = false

  take(chunk: Uint8Array): void {
    this.bytes += chunk.length
  }
}

const LINE_FEED = 10
const CARRIAGE_RETURN = 13
const ID_FIELD = Buffer.from('id:')

/** Counts since the last empty line, which ends an event. */
class EventMeter {
  bytes = 0
  hasIds = false
  #column = 0
  #previous = LINE_FEED

  take(chunk: Uint8Array): void {
    for (const byte of chunk) {
      this.bytes += 1
      if (byte === LINE_FEED && this.#previous === CARRIAGE_RETURN) {
        // one end of a line, counted already
      } else if (byte === LINE_FEED || byte === CARRIAGE_RETURN) {
        if (this.#column === 0) this.bytes = 0
        this.#column = 0
      } else this.#column += 1
      this.#previous = byte
    }
    this.hasIds ||= Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).includes(ID_FIELD)
  }
}
