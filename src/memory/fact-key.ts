import { createHash } from 'node:crypto'
import { factWords } from './fact-words.ts'

/**
 * The key of what a text says: equal for texts that differ in case, blanks, punctuation or Unicode form, and in words that carry nothing
 * or are another form of the same ("the", "isn't", "colour", "three"). A word, a number, a name, a negation or an order that differs gives
 * another key: that "Bob called" and "Bob is called" are not the same must not depend on a threshold. 128 bits of SHA-256, as a UUID.
 */
export function factKey(text: string): string {
  const words = factWords(text)
  // nothing but punctuation says what it is
  const canonical = words.length > 0 ? words.join(' ') : `raw:${text.trim()}`
  const hex = createHash('sha256').update(canonical).digest('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-')
}

interface Fact {
  fact_key: string | null
  tags: string[]
}

/** The passages without those that say what an earlier one says; their tags go to that one. */
export function mergeFacts<Passage extends Fact>(passages: readonly Passage[]): Passage[] {
  const firsts = new Map<string, Passage>()
  return passages.flatMap((passage) => {
    if (passage.fact_key === null) return [passage]
    const first = firsts.get(passage.fact_key)
    if (first === undefined) {
      const own = { ...passage, tags: [...passage.tags] }
      firsts.set(passage.fact_key, own)
      return [own]
    }
    first.tags = [...new Set([...first.tags, ...passage.tags])]
    return []
  })
}
