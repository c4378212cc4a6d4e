/** Lets so many in at once; the others wait in the order in which they came. */
export class WaitingLine {
  #free: number
  readonly #waiting = new Set<() => void>()

  constructor(places: number) {
    this.#free = places
  }

  /** True with a place, which must be given back by `leave`; false where the signal came first. */
  async enter(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false
    if (this.#free > 0) {
      this.#free -= 1
      return true
    }
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const admit = () => resolve(true)
    const giveUp = () => {
      if (this.#waiting.delete(admit)) resolve(false)
    }
    this.#waiting.add(admit)
    signal.addEventListener('abort', giveUp, { once: true })
    return promise.finally(() => signal.removeEventListener('abort', giveUp))
  }

  leave(): void {
    const [first] = this.#waiting
    if (first === undefined) this.#free += 1
    else {
      this.#waiting.delete(first)
      first()
    }
  }
}
