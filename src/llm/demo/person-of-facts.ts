/**
 * English between "I sail", as the user says it, "The user sails.", as it is remembered, and "You sail.", as it is told back.
 * Rules of spelling only, no dictionary.
 */

/** Verbs that do not take an -s after "the user": auxiliaries, and past tenses that the spelling does not show. */
const UNCHANGED = new Set(
  `can could will would shall should may might must used was did had went came saw got made said took found gave told felt left
  kept began wrote met ran paid sat spoke grew lost fell built broke bought taught won drew ate sold`.split(/\s+/),
)
const IRREGULAR: Record<string, string> = { am: 'is', are: 'is', have: 'has', do: 'does', go: 'goes' }
const IRREGULAR_BACK: Record<string, string> = { is: 'are', was: 'were', has: 'have', does: 'do', goes: 'go' }
const ADVERBS = new Set(
  `really also often always never usually sometimes currently mostly still just mainly only even now actually absolutely
  especially generally rarely seldom already`.split(/\s+/),
)
/** Objects that follow one verb; everything else after it may be another verb in a list. */
const VERB_LIST = /^[a-z]+(?:(?:, | and |, and | or )[a-z]+)+$/
const LIST_SEPARATOR = /(, and |, | and | or )/

function toThirdPersonVerb(verb: string): string {
  const lower = verb.toLowerCase()
  if (IRREGULAR[lower] !== undefined) return IRREGULAR[lower]
  if (UNCHANGED.has(lower) || /[a-z]{2}ed$/.test(lower)) return lower === 'need' ? 'needs' : verb
  if (/[^aeiou]y$/.test(lower)) return `${verb.slice(0, -1)}ies`
  return /(?:s|sh|ch|x|z|[^o]o)$/.test(lower) ? `${verb}es` : `${verb}s`
}

function toPlainVerb(verb: string): string {
  const back = IRREGULAR_BACK[verb]
  if (back !== undefined) return back
  if (/^[dlt]ies$/.test(verb)) return verb.slice(0, -1)
  if (/[a-z]{2}ies$/.test(verb)) return `${verb.slice(0, -3)}y`
  if (/(?:ss|sh|ch|x|zz|o)es$/.test(verb)) return verb.slice(0, -2)
  return /[^s]s$/.test(verb) ? verb.slice(0, -1) : verb
}

/** Changes the verb at the beginning of a phrase, past its adverbs; each verb, where the phrase is a list of verbs only. */
function changeVerb(phrase: string, change: (verb: string) => string): string {
  const words = phrase.split(' ')
  let at = 0
  while (at < words.length - 1 && ADVERBS.has((words[at] ?? '').toLowerCase())) at += 1
  const head = words.slice(0, at)
  const rest = words.slice(at).join(' ')
  const changed = VERB_LIST.test(rest)
    ? rest
        .split(LIST_SEPARATOR)
        .map((part, index) => (index % 2 === 0 ? change(part) : part))
        .join('')
    : rest.replace(/^\S+/, change)
  return [...head, changed].join(' ')
}

/** "I", "my" and "you" in the rest of a sentence that is about the user. */
export function nameTheUser(text: string): string {
  return text
    .replace(/\bI(?:['’]m| am)\b/g, 'the user is')
    .replace(/\b(?:my|mine)\b/gi, "the user's")
    .replace(/\bmyself\b/gi, 'themself')
    .replace(/\bme\b|\bI\b/g, 'the user')
    .replace(/\byours?\b/gi, 'my')
    .replace(/\byou\b/gi, 'me')
}

/** "sail in my boat" → "sails in the user's boat". */
export function toThirdPerson(phrase: string): string {
  const negated = /^(?:do not|don['’]?t)\b\s*(.*)$/i.exec(phrase)
  if (negated !== null) return `does not ${nameTheUser(negated[1] ?? '')}`
  return nameTheUser(changeVerb(phrase, toThirdPersonVerb))
}

/** "The user sails." → "You sail."; text about anything else stays as it is. */
export function toSecondPerson(fact: string): string {
  return fact
    .replace(
      /^the user (?!is\b|was\b)(.+?)(\.?)$/i,
      (_, phrase: string, end: string) => `You ${changeVerb(phrase, toPlainVerb)}${end}`,
    )
    .replace(/^the user('s)?\b/i, (_, possessive) => (possessive === undefined ? 'You' : 'Your'))
    .replace(/^You is\b/, 'You are')
    .replace(/^You was\b/, 'You were')
    .replace(/\bthe user is\b/gi, 'you are')
    .replace(/\bthe user's\b/gi, 'your')
    .replace(/\bthe user\b/gi, 'you')
    .replace(/\bthemself\b/gi, 'yourself')
}
