import { nameTheUser, toThirdPerson } from './person-of-facts.ts'

const ABBREVIATION = /\b(?:Dr|Mr|Mrs|Ms|St|Prof|[A-Z])\.$/
const QUESTION_START =
  /^(?:so |and |but |then |well,? )?(?:what|what['’]s|who|who['’]s|whose|whom|where|when|why|how|which|do|does|did|can|could|would|will|is|are|am|was|were|have|has|should|may|tell me)\b/i
const POLITE = /^(?:well|so|oh|ok|okay|yes|no|hi|hello|hey|also|and|but|please|by the way|actually)\b[\s,!.-]*/i
const REMEMBER =
  /^(?:(?:can|could|will|would) you )?(?:please )?(?:remember|(?:do not|don['’]?t) forget|note|keep in mind|memori[sz]e|write down|store|save)(?: that\b|:|,)?\s+(.+)$/i
/** Where a sentence goes on with another statement about the user. */
const NEXT_CLAUSE = /(?:\s*[,;]\s*|\s+)(?:and|but)\s+(?=(?:I|I['’]\w+|my)\s)|\s*[,;]\s*(?=(?:I|I['’]\w+|my)\s)/i
/** "I live in Oslo and work as a baker": the second verb has the same subject. */
const SHARED_SUBJECT =
  /\s*,?\s+and\s+(?=(?:am|live|work|like|love|have|want|play|study|enjoy|hate|prefer|come|need|speak|own|collect)\s)/i
/** "I …" that tells nothing lasting about the user. */
const SMALL_TALK =
  /^(?:am|['’]m)\s+(?:not\s+)?(?:sure|fine|ok|okay|good|well|great|sorry|glad|happy|here|back|done|ready|afraid|just|asking|wondering|curious)\b|^(?:think|guess|mean|see|understand|know|wonder|hope|suppose|said|say|ask|asked|told|tell|thank|do|did|don['’]?t (?:know|understand|think|care)|forgot|agree)\b|^(?:want|need|(?:would|['’]d) (?:like|love)) (?:you\b|to know\b|to ask\b)/i
const NAME =
  /^(?:my (?:first |full |real )?name(?:['’]s| is)|(?:you can |just |people |everyone |friends |they )*call me|(?:I am|I['’]m) (?:called|named)|the user['’]s name is|name:)\s+(?!not\b)(.+)$/i

/** "I am Nils" names the user, "I am Norwegian" does not: one capitalised word that is not formed as an origin or a faith. */
const IS_CALLED = /^[Ii](?:['’]m| am) (\p{Lu}\p{Ll}+)$/u
const ORIGIN = /(?:an|ese|ish|ic|ch|ss|eek|elsh|im|ist|du|ewish|qi|ani|eli)$/

/** Sentences of a text, each with its closing mark. A comma before a question ends a sentence too. */
export function splitSentences(text: string): string[] {
  const sentences: string[] = []
  for (const piece of text.split(/(?<=[.!?…])\s+|\n+/)) {
    const last = sentences.at(-1)
    if (last !== undefined && ABBREVIATION.test(last)) sentences[sentences.length - 1] = `${last} ${piece}`
    else if (piece.trim() !== '') sentences.push(piece.trim())
  }
  return sentences.flatMap((sentence) =>
    /^(?:my|I|I['’]m)\s/i.test(sentence)
      ? sentence.split(
          /\s*[,;]\s*(?:and |but |so )?(?=(?:what|who|where|how|do you|can you|could you)\b)|\s+(?:and|but)\s+(?=(?:what (?:is|do)|who|how are|do you|can you|could you)\b)/i,
        )
      : [sentence],
  )
}

export const isQuestion = (sentence: string): boolean => sentence.endsWith('?') || QUESTION_START.test(sentence)

const withoutEnd = (text: string): string => text.replace(/[\s.!?…,;]+$/, '')
const asSentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`

/** The name in a statement such as "my name is Nils" or "Name: Nils"; at most four words, as names have. */
export function findName(statement: string): string | undefined {
  const text = withoutEnd(statement.trim())
  const called = IS_CALLED.exec(text)?.[1]
  const found = called !== undefined && !ORIGIN.test(called) ? called : NAME.exec(text)?.[1]
  const name = found?.split(/,|;| and | but /)[0]?.trim()
  return name === undefined || name === '' || name.split(' ').length > 4 ? undefined : name
}

export const nameFact = (name: string): string => `The user's name is ${name}.`

function parseClause(clause: string): string | undefined {
  const name = findName(clause)
  if (name !== undefined) return nameFact(name)
  const own = /^my\s+(.+)$/i.exec(clause)
  if (own !== null) return /\s/.test(own[1] ?? '') ? asSentence(`The user's ${nameTheUser(own[1] ?? '')}`) : undefined
  const said = /^I(?:\s+|(?=['’]))(.+)$/i.exec(clause)?.[1]
  if (said === undefined || SMALL_TALK.test(said)) return undefined
  const phrase = said
    .replace(/^['’]m\b/i, 'am')
    .replace(/^['’]ve\b/i, 'have')
    .replace(/^['’]d\b/i, 'would')
    .replace(/^['’]ll\b/i, 'will')
  return asSentence(`The user ${toThirdPerson(phrase)}`)
}

function splitClauses(sentence: string): string[] {
  return sentence
    .split(NEXT_CLAUSE)
    .flatMap((clause) =>
      /^I\b/i.test(clause)
        ? clause.split(SHARED_SUBJECT).map((part, index) => (index === 0 ? part : `I ${part}`))
        : [clause],
    )
}

/**
 * What one sentence says about the user, one sentence in the third person per fact: "My name is Nils and I sail." gives "The
 * user's name is Nils." and "The user sails.". Questions and small talk give none.
 */
export function parseSentence(sentence: string): string[] {
  let text = sentence.trim()
  while (POLITE.test(text) && !NAME.test(text)) text = text.replace(POLITE, '')
  const asked = REMEMBER.exec(withoutEnd(text))?.[1]
  if (asked !== undefined && !/^(?:(?:me|what|when|who|where|how|if)\b|my \S+$)/i.test(asked)) {
    const facts = splitClauses(asked).flatMap((clause) => parseClause(clause) ?? [])
    return facts.length > 0 ? facts : [asSentence(nameTheUser(asked))]
  }
  if (isQuestion(text)) return []
  return splitClauses(withoutEnd(text)).flatMap((clause) => parseClause(clause) ?? [])
}

/** All facts of a text, without repetitions. */
export const parseFacts = (text: string): string[] => [...new Set(splitSentences(text).flatMap(parseSentence))]

/** Facts are compared without regard to case, closing marks and white space. */
export const normalizeFact = (fact: string): string => withoutEnd(fact).toLowerCase().replace(/\s+/g, ' ').trim()
