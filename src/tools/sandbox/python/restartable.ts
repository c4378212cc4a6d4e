interface Stoppable {
  readonly isRunning: boolean
  stop(): Promise<void>
}

/** Something that runs beside the server: started when it is first needed, and again when it has ended. */
export class Restartable<T extends Stoppable> {
  readonly #start: () => Promise<T>
  #current: T | undefined
  #starting: Promise<T> | undefined

  constructor(start: () => Promise<T>) {
    this.#start = start
  }

  /** The one that runs; whoever asks meanwhile gets the same. */
  async get(): Promise<T> {
    if (this.#current?.isRunning) return this.#current
    this.#starting ??= this.#start().finally(() => {
      this.#starting = undefined
    })
    this.#current = await this.#starting
    return this.#current
  }

  async stop(): Promise<void> {
    const running = await (this.#starting?.catch(() => undefined) ?? this.#current)
    await running?.stop()
  }
}
