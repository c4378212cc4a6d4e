import { createHash } from 'node:crypto'

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

/** The words that the key is made of, in order. */
export function factWords(text: string): string[] {
  const words = [...normalize(text).matchAll(TOKEN)].flatMap(([token]) => expand(token))
  return words.flatMap((_, index) => (isEmpty(words, index) ? [] : toSameForm(words, index)))
}

function normalize(text: string): string {
  return (
    text
      // compatibility forms, but not of numbers: "10²" is not 102
      .replace(/[^\p{No}]+/gu, (part) => part.normalize('NFKC'))
      .normalize('NFC')
      .toLowerCase()
      .normalize('NFC')
      .replace(/[‘’ʼ′]/gu, "'")
      .replace(/[“”″]/gu, '"')
      .replace(/[‐‑‒–—―−]/gu, '-')
      // marks that nobody sees; controls that are no blanks
      .replace(/[\p{Cf}\p{Variation_Selector}]|(?!\s)\p{Cc}/gu, '')
  )
}

const TOKEN = new RegExp(
  [
    // letters and digits; what stands between two digits ("555-0101", "3.5", "10:30") and the apostrophe in a word belong to it, and so
    // do the sign and the point before a number
    /(?:(?<=^|[\s([{:=<>~$€£¥])-(?=\.?\p{N}))?(?:(?<=^|[\s([{:=<>~$€£¥-])\.(?=\p{N}))?[\p{L}\p{M}\p{N}]+(?:(?:(?<=\p{N})[^\p{L}\p{M}\p{N}\s](?=\p{N})|(?<=\p{L})'(?=\p{L}))[\p{L}\p{M}\p{N}]+)*/u,
    // units and marks that change what they stand behind: 5%, 6", C#, A-
    /(?<=\p{N})[%‰'"]|(?<=\p{L})#|(?<=(?<![\p{L}\p{M}\p{N}])\p{L})-(?![\p{L}\p{N}])/u,
    // faces, questions, "!=" and "!ready", money, arrows, emoji
    /(?<=^|\s)[:;=]-?[()/|dpo](?=\s|$)|[?&@]|!(?=[=\p{L}\p{N}(])|(?!\p{Sk})\p{S}/u,
  ]
    .map((part) => part.source)
    .join('|'),
  'gu',
)

/** Contractions as the words that they stand for. */
function expand(token: string): string[] {
  if (token === '&') return ['and']
  if (token === 'cannot' || token === "can't") return ['can', 'not']
  if (token === "won't") return ['will', 'not']
  const [, stem = '', ending = ''] = /^(\p{L}+)(n't|'(?:m|re|ve|ll|s))$/u.exec(token) ?? []
  if (stem === '' || token === "ain't" || token === "shan't") return [token]
  // "it's" is "it is", but "Bob's" is mostly Bob's
  if (ending === "'s") return PRONOUNS.has(stem) ? [stem, 'is'] : [token]
  return [stem, ENDINGS[ending] ?? ending]
}

const PRONOUNS = new Set(['it', 'that', 'there', 'here', 'what', 'where'])
const ENDINGS: Readonly<Record<string, string>> = {
  "n't": 'not',
  "'m": 'am',
  "'re": 'are',
  "'ve": 'have',
  "'ll": 'will',
}

const FILLERS = new Set([
  'the',
  'also',
  'actually',
  'really',
  'basically',
  'please',
  'currently',
  'presently',
  'indeed',
])
const NEGATIONS = new Set(['not', 'no', 'never'])
const WEEKDAYS = new Set(['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'])
const MONTHS = new Set(
  'january february march april may june july august september october november december'.split(' '),
)
/** After these "is" is no more than a colon. */
const ATTRIBUTES = new Set(
  (
    'name nickname surname birthday birthdate age email mail address phone number color colour language timezone zone city country ' +
    'hometown job title role profession occupation employer company team editor food drink dish book movie film song band sport hobby ' +
    'animal pet browser framework gender nationality username handle website url plan budget deadline date time'
  ).split(' '),
)
/** "is paid" is not "paid": what may be the past of a verb. */
const PARTICIPLE =
  /(?:ed|en|wn|ing)$|^(?:paid|cut|put|hit|set|let|hurt|built|sold|told|said|held|left|lost|met|sent|kept|made|found|had|won|led|fed|bought|brought|caught|taught|thought|spent|lent|bent|meant|read|shut|split|spread|bound|dealt|felt|hung|heard|laid|shot|sought|stuck|understood|become|come|run|done|gone|born|worn|torn|sworn)$/u

/** A word without which the same is said. */
function isEmpty(words: readonly string[], index: number): boolean {
  const word = words[index] ?? ''
  const before = words[index - 1] ?? ''
  const after = words[index + 1] ?? ''
  if (FILLERS.has(word)) return !NEGATIONS.has(before)
  if (word === 'on') return WEEKDAYS.has(after)
  if (word !== 'is' || !ATTRIBUTES.has(before) || after === '') return false
  return !words.slice(index + 1, index + 4).some((next) => PARTICIPLE.test(next))
}

const NUMBERS = 'zero one two three four five six seven eight nine ten eleven twelve'.split(' ')
const SAME: Readonly<Record<string, string>> = {
  an: 'a',
  centre: 'center',
  each: 'every',
  grey: 'gray',
  mum: 'mom',
  okay: 'ok',
  theatre: 'theater',
  till: 'until',
  towards: 'toward',
  whilst: 'while',
}
const OUR = /^(arm|behavi|col|endeav|fav|flav|harb|hon|hum|lab|neighb|rum|sav|val|vap|vig)our/u
const ISE = /(?<=\p{L}{4})is(e[drs]?|ing|ation|ations)$/u
/** Words in -ise that are other words than those in -ize, or have none. */
const NO_ISE = /(?:prom|exerc|surpr|adv|rev|superv|telev|comprom|disgu|franch|enterpr|merchand|improv|exc|dev)is/u

/** One form of words that are written in several. */
function toSameForm(words: readonly string[], index: number): string {
  const word = words[index] ?? ''
  const number = NUMBERS.indexOf(word)
  if (number >= 0) return String(number)
  const [, day] = /^(\d+)(?:st|nd|rd|th)$/.exec(word) ?? []
  if (day !== undefined && [words[index - 1], words[index + 1]].some((next) => MONTHS.has(next ?? ''))) return day
  const same = SAME[word]
  if (same !== undefined) return same
  return NO_ISE.test(word) ? word : word.replace(OUR, '$1or').replace(ISE, 'iz$1')
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
