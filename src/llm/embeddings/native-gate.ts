const FREE = 0
const BUSY = 1
const CLOSED = 2

/**
 * Keeps a process from exiting in the middle of a native call of one of its threads: ONNX Runtime would come back to a JavaScript that is no
 * more, and abort the process. The thread works inside of `run`, whoever is about to exit calls `close`.
 */
export class NativeGate {
  /** Shared by both threads. */
  readonly memory: SharedArrayBuffer
  readonly #state: Int32Array<SharedArrayBuffer>

  constructor(memory = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)) {
    this.memory = memory
    this.#state = new Int32Array(memory)
  }

  /** One at a time. Never comes back once the gate is closed: the process is about to end. */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (Atomics.compareExchange(this.#state, 0, FREE, BUSY) === CLOSED) return new Promise<never>(() => {})
    try {
      return await work()
    } finally {
      Atomics.store(this.#state, 0, FREE)
      Atomics.notify(this.#state, 0)
    }
  }

  /** Blocks this thread until the other one is outside, for `timeoutMs` at most, and then keeps it there. */
  close(timeoutMs: number): void {
    const deadline = performance.now() + timeoutMs
    while (Atomics.compareExchange(this.#state, 0, FREE, CLOSED) === BUSY) {
      const leftMs = deadline - performance.now()
      if (leftMs <= 0) return
      Atomics.wait(this.#state, 0, BUSY, leftMs)
    }
  }
}
