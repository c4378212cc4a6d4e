/** What a text says, as words in order: see `factKey`. */
export function factWords(text: string): string[] {
  const tokens = [...normalize(text).matchAll(TOKEN)].map(([token]) => foldCase(token))
  const words = inOneOrder(tokens.flatMap(expand))
  return words.flatMap((_, index) => (isEmpty(words, index) ? [] : toSameForm(words, index)))
}

function normalize(text: string): string {
  return (
    text
      // compatibility forms, but not of numbers: "10²" is not 102
      .replace(/[^\p{No}]+/gu, (part) => part.normalize('NFKC'))
      .normalize('NFC')
      .replace(/[‘’ʼ′]/gu, "'")
      .replace(/[“”″]/gu, '"')
      .replace(/[‐‑‒–—―−]/gu, '-')
      .replace(/(?<![\p{L}\p{N}])(wi|e)-(fi|mail)(?=s?(?![\p{L}\p{N}]))/giu, '$1$2')
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
  'giu',
)

/** In a code, such as a password or a key, the case says something: it has digits, and capitals behind small letters. */
function isCode(token: string): boolean {
  const small = token.search(/\p{Ll}/u)
  return small >= 0 && /\p{N}/u.test(token) && /\p{Lu}/u.test(token.slice(small))
}

const foldCase = (token: string): string => (isCode(token) ? token : token.toLowerCase().normalize('NFC'))

/** Contractions as the words that they stand for; "3pm" is "3 pm". */
function expand(token: string): string[] {
  const [, hour, half] = /^(\d{1,2}(?::\d\d)?)([ap]m)$/.exec(token) ?? []
  if (hour !== undefined && half !== undefined) return [hour, half]
  if (token === '&') return ['and']
  if (token === 'cannot' || token === "can't") return ['can', 'not']
  if (token === "won't") return ['will', 'not']
  const [, stem = '', ending = ''] = /^(\p{L}+)(n't|'(?:m|re|ve|ll|s))$/u.exec(token) ?? []
  if (stem === '' || token === "ain't" || token === "shan't") return [token]
  // "it's" is "it is", but "Bob's" is mostly Bob's
  if (ending === "'s") return PRONOUNS.has(stem) ? [stem, 'is'] : [token]
  return [stem, ENDINGS.get(ending) ?? ending]
}

const PRONOUNS = new Set(['it', 'that', 'there', 'here', 'what', 'where'])
const ENDINGS = new Map([
  ["n't", 'not'],
  ["'m", 'am'],
  ["'re", 'are'],
  ["'ve", 'have'],
  ["'ll", 'will'],
])

const MONTHS = new Set(
  'january february march april may june july august september october november december'.split(' '),
)
const SHORT_MONTHS = new Map([...MONTHS].map((month) => [month.slice(0, 3), month]))
SHORT_MONTHS.set('sept', 'september')
const DAY = /^([12]?\d|3[01])(?:st|nd|rd|th)?$/

/** Days with their months in one order and form: "15th Mar", "March 15". */
function inOneOrder(words: readonly string[]): string[] {
  const result = [...words]
  const isDay = (word: string | undefined) => word !== undefined && DAY.test(word)
  for (const [index, word] of words.entries()) {
    const month = MONTHS.has(word) ? word : SHORT_MONTHS.get(word)
    if (month === undefined) continue
    const [before, after] = [result[index - 1], words[index + 1]]
    const comesAfter = isDay(before) && !MONTHS.has(result[index - 2] ?? '')
    if (!comesAfter && !isDay(after)) continue
    result[index] = month
    if (comesAfter && before !== undefined) result.splice(index - 1, 2, month, toDay(before))
    else if (after !== undefined) result[index + 1] = toDay(after)
  }
  return result
}

const toDay = (word: string): string => DAY.exec(word)?.[1] ?? word

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
/** "said that she" is "said she". */
const REPORTS = new Set(
  'said says mentioned mentions stated states noted notes reported reports thinks believes knows'.split(' '),
)
const SUBJECTS = new Set('i you he she it we they there my your his her its our their the'.split(' '))
/** After these "is" is no more than a colon. */
const ATTRIBUTES = new Set(
  (
    'name nickname surname birthday birthdate age email mail address phone number color colour language timezone zone city country ' +
    'hometown job title role profession occupation employer company team editor food drink dish book movie film song band sport hobby ' +
    'animal pet browser framework gender nationality username handle website url plan budget deadline date time password code pin'
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
  if (word === 'a') return before === 'as' && /^\p{L}{2}/u.test(after) && !['or', 'and'].includes(after)
  if (word === 'that') return REPORTS.has(before) && SUBJECTS.has(after)
  if (word !== 'is' || !ATTRIBUTES.has(before) || after === '') return false
  return !words.slice(index + 1, index + 4).some((next) => PARTICIPLE.test(next))
}

const NUMBERS = 'zero one two three four five six seven eight nine ten eleven twelve'.split(' ')
const SAME = new Map([
  ['an', 'a'],
  ['centre', 'center'],
  ['each', 'every'],
  ['grey', 'gray'],
  ['mum', 'mom'],
  ['okay', 'ok'],
  ['theatre', 'theater'],
  ['till', 'until'],
  ['towards', 'toward'],
  ['whilst', 'while'],
])
const OUR = /^(arm|behavi|col|endeav|fav|flav|harb|hon|hum|lab|neighb|rum|sav|val|vap|vig)our/u
// "exercize" is no word, but it is one form all the same
const ISE = /(?<=\p{L}{4})is(e[drs]?|ing|ation|ations)$/u

/** One form of words that are written in several. */
function toSameForm(words: readonly string[], index: number): string {
  const word = words[index] ?? ''
  const number = NUMBERS.indexOf(word)
  if (number >= 0) return String(number)
  // "3:00 pm" is "3 pm"
  if (/^\d{1,2}:00$/.test(word) && /^[ap]m$/.test(words[index + 1] ?? '')) return word.slice(0, -3)
  const same = SAME.get(word)
  if (same !== undefined) return same
  return word.replace(OUR, '$1or').replace(ISE, 'iz$1')
}
