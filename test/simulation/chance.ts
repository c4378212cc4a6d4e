import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom } from '../support/seeded-random.ts'

/**
 * Decisions that depend on the seed and on who decides: each actor has a sequence of its own, so that another order of two
 * actors, which real I/O may bring, does not change what either does.
 */
export class Chance {
  readonly #path: string
  readonly #next: () => number

  constructor(path: string) {
    this.#path = path
    this.#next = seededRandom(hash(path))
  }

  fork(name: string): Chance {
    return new Chance(`${this.#path}/${name}`)
  }

  happens(probability: number): boolean {
    return this.#next() < probability
  }

  /** A whole number from 0 to `end` - 1. */
  below(end: number): number {
    return Math.floor(this.#next() * end)
  }

  pick<Value>(values: readonly Value[]): Value {
    return values[this.below(values.length)] as Value
  }

  /** Lets others go first: mostly some turns of the event loop, at times some milliseconds. */
  async pause(maxMs = 4): Promise<void> {
    const dice = this.#next()
    if (dice < 0.4) return
    if (dice < 0.8) {
      for (let turns = 1 + this.below(4); turns > 0; turns -= 1) await new Promise((resolve) => setImmediate(resolve))
    } else await sleep(1 + this.below(maxMs))
  }
}

/** FNV-1a */
function hash(text: string): number {
  let sum = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1) sum = Math.imul(sum ^ text.charCodeAt(index), 0x01000193)
  return sum >>> 0
}
