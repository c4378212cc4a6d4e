import { RE2JS } from 're2js'

/** Tells whether a line has a match, in any case. */
export interface LinePattern {
  test(line: string): boolean
}

/**
 * A regular expression that takes time in proportion to the text, whatever it is: by automata, as RE2 does it. Look-around and back-references cannot be had
 * that way; such a pattern, and one that counts beyond 1000, is JavaScript's own, which can take exponential time: run it where it can be stopped.
 * Throws where JavaScript cannot read the pattern either.
 */
export function compilePattern(pattern: string): LinePattern {
  try {
    return RE2JS.compile(pattern, RE2JS.CASE_INSENSITIVE)
  } catch {
    return new RegExp(pattern, 'i')
  }
}
