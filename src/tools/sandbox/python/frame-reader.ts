import type { Socket } from 'node:net'

const LENGTH_BYTES = 4

export function toFrame(message: unknown): Buffer {
  const body = Buffer.from(JSON.stringify(message))
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt32LE(body.length)
  return Buffer.concat([length, body])
}

/** Messages of a process (`frames.py`), which can be anything: no more is kept than was asked for. */
export class FrameReader {
  #buffered: Buffer[] = []
  #size = 0
  #isEnded = false
  #isBroken = false
  #wake: (() => void) | undefined
  readonly #socket: Socket

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#buffered.push(chunk)
      this.#size += chunk.length
      this.#notify()
    })
    const end = () => {
      this.#isEnded = true
      this.#notify()
    }
    socket.on('end', end)
    socket.on('close', end)
    socket.on('error', end)
  }

  /**
   * The next message; undefined where the connection ended before it, or where it is longer than `maxBytes` or no JSON. Nothing can be
   * read after that.
   */
  async next(maxBytes: number): Promise<unknown> {
    const head = await this.#take(LENGTH_BYTES)
    const length = head?.readUInt32LE() ?? 0
    const body = length === 0 || length > maxBytes ? undefined : await this.#take(length)
    try {
      if (body !== undefined) return JSON.parse(body.toString('utf8'))
    } catch {
      // no JSON: as if nothing had been said
    }
    if (length !== 0) this.#isBroken = !this.#isEnded || body !== undefined || length > maxBytes
    this.#socket.destroy()
    return undefined
  }

  /** Whether what came was no message, or a longer one than was asked for; false where nothing came. */
  get isBroken(): boolean {
    return this.#isBroken
  }

  async #take(count: number): Promise<Buffer | undefined> {
    while (this.#size < count) {
      if (this.#isEnded) return undefined
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      this.#socket.resume()
      await promise
    }
    const all = this.#buffered.length === 1 ? this.#buffered[0] : Buffer.concat(this.#buffered)
    const rest = all?.subarray(count)
    this.#buffered = rest === undefined || rest.length === 0 ? [] : [rest]
    this.#size -= count
    return all?.subarray(0, count)
  }

  #notify(): void {
    // what comes unasked is not read on
    if (this.#size > 1024 * 1024 && this.#wake === undefined) this.#socket.pause()
    this.#wake?.()
    this.#wake = undefined
  }
}
