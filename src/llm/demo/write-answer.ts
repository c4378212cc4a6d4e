import type { ToolResultPart } from '#llm/model.ts'
import { findName, isQuestion, splitSentences } from './parse-facts.ts'
import { toSecondPerson } from './person-of-facts.ts'
import { findSearchQuery } from './plan-calls.ts'
import type { Situation } from './read-request.ts'

const WHAT_IT_IS =
  'I am perdure/demo, a demonstration and not a language model: a short script that knows a few sentences, such as “My name is Nils and I sail.”, “Remember that …”, “What do you know about me?” and “Search for …”. To talk with a real model, set OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY or OLLAMA_BASE_URL, start Perdure again and give the agent one of the models that GET /v1/models/ then lists.'
/** Facts and results are told up to this length. */
const MAX_CHARS = 2_000
const MAX_RESULTS = 5
/** Verbs of facts that do not answer "What do I do?". */
const NOT_A_DEED =
  /^the user (?:is called|likes|loves|hates|prefers|lives|has|wants|needs|would|does not|was|were|had|is \d)/i
const STOP_WORDS = new Set(
  `what who whose where when why how which is are am was were do does did i me my mine you your the a an of in on at to for with
  and or about tell know remember have has had can could would will name called it that this please any kind much many old`.split(
    /\s+/,
  ),
)

const cut = (text: string, limit = MAX_CHARS): string =>
  text.length <= limit ? text : `${text.slice(0, limit).toWellFormed()}…`
const tell = (facts: readonly string[]): string => cut(facts.map(toSecondPerson).join(' '))
const lowerFirst = (text: string): string => text.replace(/^You/, 'you').replace(/\.$/, '')

/** A rough stem, so that "live" finds "lives" and "sailing" finds "sails". */
const stem = (word: string): string => word.replace(/(?:ing|ies|es|ed|s|y|e)$/, '')
const stemsOf = (text: string): string[] =>
  (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).filter((word) => !STOP_WORDS.has(word)).map(stem)

function answerAboutUser(question: string, { facts, name, blocks, human }: Situation): string | undefined {
  if (/\bmy name\b|\bwho am i\b|\bi(?:['’]m| am) called\b/i.test(question)) {
    if (name !== undefined) return `Your name is ${name}.`
    if (!/\bwho am i\b/i.test(question)) return 'You have not told me your name yet. Say “My name is …”.'
  }
  if (/\babout (?:me|myself)\b|\bwho am i\b|\bremember me\b|\bknow me\b|\bremember\?*$/i.test(question)) {
    return facts.length === 0
      ? 'I know nothing about you yet. Tell me something, for example “My name is Nils and I sail.”'
      : `This is what I know about you: ${tell(facts)}`
  }
  if (
    /\bdo I do\b|\bI do\b.*\bliving\b|\bI do\?*$|\bmy (?:job|hobby|hobbies|profession|occupation|work)\b/i.test(
      question,
    )
  ) {
    const own = facts.filter((fact) => /^the user\b(?!')/i.test(fact))
    const deeds = own.filter((fact) => !NOT_A_DEED.test(fact))
    const told = deeds.length > 0 ? deeds : facts.filter((fact) => findName(fact) === undefined)
    return told.length > 0 ? tell(told) : 'I do not know what you do. Tell me, for example “I sail.”'
  }
  if (!/\b(?:I|me|my|mine|we|our)\b/i.test(question)) return undefined
  const wanted = new Set(stemsOf(question))
  const elsewhere = blocks
    .filter((block) => block !== human && block.label !== 'persona')
    .flatMap((block) => splitSentences(block.value))
  const found = [...facts, ...elsewhere].filter((fact) =>
    stemsOf(fact).some((word) => word.length > 1 && wanted.has(word)),
  )
  return found.length > 0 ? tell(found) : undefined
}

function answerAboutAgent(question: string, { persona }: Situation): string | undefined {
  if (
    !/\b(?:who|what) are you\b|\byour name\b|\babout you(?:rself)?\b|\bcan you do\b|\bhelp\b|\bare you (?:an?|real|human)\b/i.test(
      question,
    )
  ) {
    return undefined
  }
  return persona === '' ? WHAT_IT_IS : `My persona block says: “${cut(persona, 500)}” ${WHAT_IT_IS}`
}

const GREETING = /^(?:hi|hello|hey|hallo|moin|greetings|good (?:morning|afternoon|evening|day)|howdy)\b/i
const THANKS = /\b(?:thanks|thank you|cheers)\b/i
const FAREWELL = /^(?:bye|good ?bye|see you|good night|farewell)\b/i

function answerSentence(sentence: string, situation: Situation): string | undefined {
  const asked = isQuestion(sentence) || /\babout (?:me|myself)\b|\bhelp\b/i.test(sentence)
  return asked ? (answerAboutUser(sentence, situation) ?? answerAboutAgent(sentence, situation)) : undefined
}

/** Answers to the questions of the last message; empty when there are none that the script knows. */
function answerQuestions(situation: Situation): string[] {
  const answers = splitSentences(situation.lastText).flatMap((sentence) => answerSentence(sentence, situation) ?? [])
  return [...new Set(answers)]
}

/** The message of a tool result, out of its package `{status, message, time}`. */
function messageOf(result: ToolResultPart): string {
  try {
    const { message } = JSON.parse(result.text) as { message?: unknown }
    return typeof message === 'string' ? message : result.text
  } catch {
    return result.text
  }
}

interface Hit {
  role?: string
  content?: unknown
  time_ago?: string
  timestamp?: string
}

function readHits(message: string): Hit[] | undefined {
  try {
    const parsed = JSON.parse(message) as Hit[] | { results?: Hit[] }
    const hits = Array.isArray(parsed) ? parsed : parsed?.results
    return Array.isArray(hits) ? hits : undefined
  } catch {
    return undefined
  }
}

function describeSearch(result: ToolResultPart, situation: Situation): string {
  const query = findSearchQuery(situation.lastText) ?? ''
  const message = messageOf(result)
  const hits = readHits(message)
  if (hits === undefined) return cut(`The search for “${query}” gave: ${message}`)
  // the request itself contains the words and is no answer to it; what tools said is not worth telling
  const others = hits.filter(
    (hit) => hit.role !== 'tool' && typeof hit.content === 'string' && hit.content.trim() !== situation.lastText,
  )
  if (others.length === 0) return `I found nothing about “${query}”.`
  const lines = others.slice(0, MAX_RESULTS).map((hit) => {
    const where = [hit.role, hit.time_ago ?? hit.timestamp].filter((part) => part !== undefined).join(', ')
    return `- ${where === '' ? '' : `${where}: `}${cut(String(hit.content), 300)}`
  })
  return `I found this about “${query}”:\n${lines.join('\n')}`
}

const WRITES = /^(?:core_)?memory(?:_|$)|^archival_memory_insert$/

function describeResult(result: ToolResultPart, situation: Situation): string {
  if (result.status === 'error') {
    return WRITES.test(result.name)
      ? `I wanted to write that down, but ${result.name} failed: ${cut(messageOf(result), 500)}`
      : `I called ${result.name}, but it failed: ${cut(messageOf(result), 500)}`
  }
  if (result.name.endsWith('_search')) return describeSearch(result, situation)
  if (!WRITES.test(result.name)) return cut(`${result.name} says: ${messageOf(result)}`)
  // the new facts may have been refreshed into the prompt by now, so what is told is what was said
  const told = situation.newFacts.map((fact) => lowerFirst(toSecondPerson(fact)).replace(/^Your/, 'your'))
  const greeting = situation.newFacts.some((fact) => findName(fact) !== undefined)
    ? `Nice to meet you, ${situation.name}. `
    : ''
  return told.length === 0 ? 'I have written that down.' : `${greeting}I have written down: ${told.join('; ')}.`
}

/** The answer after tools have run, whatever they gave. */
export function answerAfterTools(results: readonly ToolResultPart[], situation: Situation): string {
  if (results.every((result) => result.name === 'send_message')) return 'I have nothing to add.'
  const parts = results
    .filter((result) => result.name !== 'send_message')
    .map((result) => describeResult(result, situation))
  return [...new Set([...parts, ...answerQuestions(situation)])].join('\n')
}

function describeUnstored({ newFacts, unknownFacts, human }: Situation): string | undefined {
  if (newFacts.length === 0) return undefined
  if (unknownFacts.length === 0) return `I know that already: ${tell(newFacts)}`
  const reason =
    human === undefined
      ? 'I have no memory block about you and no tool to write it down'
      : human.isReadOnly
        ? 'my memory block about you is read-only'
        : 'I have no tool to write it into my memory'
  return `I understand: ${tell(newFacts)} But ${reason}, so I know it only while this conversation is in front of me.`
}

/** The answer to a message that needs no tool, or for which there is none. */
export function answerDirectly(situation: Situation): string {
  const { lastText, name } = situation
  const stored = describeUnstored(situation)
  const query = findSearchQuery(lastText)
  const answers = answerQuestions(situation)
  const parts = [
    ...(stored === undefined ? [] : [stored]),
    ...answers,
    ...(query === undefined || answers.length > 0 || stored !== undefined
      ? []
      : [`I have no tool to search for “${query}”.`]),
  ]
  if (parts.length > 0) return parts.join('\n')
  const who = name === undefined ? '' : `, ${name}`
  if (THANKS.test(lastText)) return `You are welcome${who}.`
  if (FAREWELL.test(lastText)) return `Goodbye${who}.`
  if (lastText === '' || GREETING.test(lastText)) return `Hello${who}! ${WHAT_IT_IS}`
  const unknown =
    /\b(?:I|me|my|mine)\b/i.test(lastText) && isQuestion(lastText)
      ? 'I do not know that about you.'
      : 'I do not understand that.'
  return `${unknown} ${WHAT_IT_IS}`
}
