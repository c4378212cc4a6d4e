/** What a provider counts is believed between these; beyond, it means something else by its number. */
const LOWEST = 0.5
const HIGHEST = 2
/** Conversations of which a process remembers how its estimates turned out. */
const MAX_REMEMBERED = 10_000

/**
 * How many tokens a provider counts for one of ours, by model and conversation: every tokenizer and every language is a little
 * off our estimate in the same direction. Only a help: where it is forgotten, the estimate counts as it is.
 */
export class TokenRatios {
  readonly #ratios = new Map<string, number>()

  /** 1 where nothing is known. */
  get(handle: string, conversationId: string): number {
    return this.#ratios.get(`${handle} ${conversationId}`) ?? 1
  }

  /** Remembers what a request was counted as. @returns the ratio that counts from now on */
  note(handle: string, conversationId: string, tokens: { estimated: number; counted: number }): number {
    const ratio = tokens.estimated > 0 ? tokens.counted / tokens.estimated : 0
    const key = `${handle} ${conversationId}`
    if (ratio < LOWEST || ratio > HIGHEST) return this.get(handle, conversationId)
    this.#ratios.delete(key)
    this.#ratios.set(key, ratio)
    const [oldest] = this.#ratios.keys()
    if (this.#ratios.size > MAX_REMEMBERED && oldest !== undefined) this.#ratios.delete(oldest)
    return ratio
  }
}
