const SIGNALS = ['SIGINT', 'SIGTERM'] as const
/** npm passes on the Ctrl-C that the terminal has sent to both: the same keystroke arrives twice. */
const SAME_KEYSTROKE_MS = 500

/**
 * Waits for the first SIGINT or SIGTERM; a second one, not of the same keystroke, ends the process at once. Where
 * `bin/perdure.mjs` has started this process, the end of that one (by -9, say) counts as SIGTERM: nobody else could stop us.
 */
export class StopSignal implements Disposable {
  readonly received: Promise<NodeJS.Signals>
  readonly #onSignal: (signal: NodeJS.Signals) => void
  readonly #onDisconnect = (): void => this.#onSignal('SIGTERM')

  constructor() {
    const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>()
    let firstAt: number | undefined
    this.received = promise
    this.#onSignal = (signal) => {
      firstAt ??= performance.now()
      if (performance.now() - firstAt > SAME_KEYSTROKE_MS) process.exit(signal === 'SIGINT' ? 130 : 143)
      resolve(signal)
    }
    for (const name of SIGNALS) process.on(name, this.#onSignal)
    process.on('disconnect', this.#onDisconnect)
    process.channel?.unref()
  }

  [Symbol.dispose](): void {
    for (const name of SIGNALS) process.off(name, this.#onSignal)
    process.off('disconnect', this.#onDisconnect)
  }
}
