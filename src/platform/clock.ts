/** A loop that is driven by a clock, until it is disposed of. */
export interface Ticker extends Disposable {
  /** The process may end although it goes on. */
  unref(): unknown
}

/** What the engine knows of time; the simulation brings a clock of its own. */
export interface Clock {
  /** Milliseconds since some moment. */
  now(): number
  setInterval(work: () => unknown, periodMs: number): Ticker
}

export const systemClock: Clock = {
  now: () => performance.now(),
  setInterval: (work, periodMs) => setInterval(work, periodMs),
}
