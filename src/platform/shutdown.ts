import { setMaxListeners } from 'node:events'

/**
 * How far the end of this process has come, for those who must know while they work: `begun` when a signal has asked for it
 * (not ready any more, yet everything is served), `lastCall` shortly before what is still open is cut.
 */
export class Shutdown {
  readonly #begun = new AbortController()
  readonly #lastCall = new AbortController()

  constructor() {
    // each open stream listens
    setMaxListeners(0, this.#begun.signal, this.#lastCall.signal)
  }

  /** Aborted when the process begins to stop: load balancers are to send their requests elsewhere. */
  get begun(): AbortSignal {
    return this.#begun.signal
  }

  /** Aborted shortly before connections are cut: whoever holds an answer open tells the client now to connect again. */
  get lastCall(): AbortSignal {
    return this.#lastCall.signal
  }

  begin(): void {
    this.#begun.abort()
  }

  callLast(): void {
    this.begin()
    this.#lastCall.abort()
  }
}
