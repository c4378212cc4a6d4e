/** A connection that is in use. */
export interface WatchedSession {
  /** See `requirePrimary`. */
  readonly server: string | undefined
  /** Since when a statement has been waiting for its answer, by `performance.now()`; undefined when none is. */
  readonly waitingSince: number | undefined
  /** Hangs up: what waits for an answer fails as if the connection had been lost. */
  abandon(): void
}

const LOOK_MS = 1000
/** A statement that waits so long is a reason to look where the address leads; the next is twice as long, and so on. */
const FIRST_DOUBT_MS = 2000

/**
 * Notices that the address of the database leads to another server than it did, and hangs up on the former one. After a
 * fail-over that may still answer, with what is not true any more, if nobody has stopped it; or a host that vanished without
 * a word leaves connections that look alive until TCP gives up, a quarter of an hour later.
 */
export class ServerWatch implements Disposable {
  readonly #askServer: () => Promise<string>
  readonly #onChange: () => void
  readonly #sessions = new Map<WatchedSession, { doubtAfterMs: number }>()
  readonly #timer: NodeJS.Timeout
  #server: string | undefined
  #isAsking = false

  /** @param askServer makes a new connection, tells its server and ends it */
  constructor(askServer: () => Promise<string>, onChange: () => void) {
    this.#askServer = askServer
    this.#onChange = onChange
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref()
  }

  /** To be called with the server of every new connection. */
  noticeServer(server: string): void {
    const former = this.#server
    this.#server = server
    if (former === undefined || former === server) return
    for (const session of this.#sessions.keys()) if (session.server !== server) session.abandon()
    this.#onChange()
  }

  isFormer(server: string | undefined): boolean {
    return server !== this.#server
  }

  add(session: WatchedSession): void {
    this.#sessions.set(session, { doubtAfterMs: FIRST_DOUBT_MS })
  }

  delete(session: WatchedSession): void {
    this.#sessions.delete(session)
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const now = performance.now()
    let isInDoubt = false
    for (const [{ waitingSince }, state] of this.#sessions) {
      if (waitingSince === undefined || now - waitingSince < state.doubtAfterMs) continue
      state.doubtAfterMs *= 2
      isInDoubt = true
    }
    if (!isInDoubt || this.#isAsking) return
    this.#isAsking = true
    // without an answer nobody knows of a better server
    this.#askServer()
      .then(
        (server) => this.noticeServer(server),
        () => {},
      )
      .finally(() => {
        this.#isAsking = false
      })
  }
}
