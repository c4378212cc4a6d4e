import { splitUnspaced } from './split-unspaced.ts'

/** What a search text asks for, after the rules of web searches: "quoted words" stand together, -word must not occur. */
export interface SearchQuery {
  /** Words and phrases of which at least one should occur; the more, the better. */
  terms: string[]
  /** Words and phrases that must not occur. */
  excluded: string[]
}

/** More terms than this add time and no precision. */
const MAX_TERMS = 32
const TERM = /(-?)"([^"]*)"|(\S+)/g
const HAS_WORD = /[\p{L}\p{N}]/u

/** Reads any text; there is no malformed query. */
export function parseSearchQuery(text: string): SearchQuery {
  const terms = new Set<string>()
  const excluded = new Set<string>()
  for (const [, sign, phrase, word = ''] of text.matchAll(TERM)) {
    const isExcluded = sign === '-' || (phrase === undefined && /^-[\p{L}]/u.test(word))
    const term = (phrase ?? word).replaceAll('"', ' ').replace(/^-+/, '').trim()
    // `or` between words is what happens anyway
    if (!HAS_WORD.test(term) || (phrase === undefined && term.toLowerCase() === 'or')) continue
    const target = isExcluded ? excluded : terms
    for (const part of isExcluded || phrase !== undefined ? [term] : splitUnspaced(term)) {
      if (HAS_WORD.test(part) && target.size < MAX_TERMS) target.add(part)
    }
  }
  return { terms: [...terms], excluded: [...excluded] }
}
