import type { ModelRequest, TranscriptMessage } from '#llm/model.ts'
import { findName, nameFact, normalizeFact, parseFacts, splitSentences } from './parse-facts.ts'
import { type MemoryBlock, readMemoryBlocks } from './read-memory-blocks.ts'

/** What the demonstration model has understood of a request. */
export interface Situation {
  /** What the user said last; empty when nobody said anything. */
  lastText: string
  blocks: MemoryBlock[]
  /** The block about the user, if the agent has one. */
  human: MemoryBlock | undefined
  persona: string
  /** Facts of the last message. */
  newFacts: string[]
  /** Those of the new facts that the human block does not hold. */
  unknownFacts: string[]
  /** All facts about the user: of the human block first, then what was said in the transcript. */
  facts: string[]
  name: string | undefined
}

/** Some messages are stored in an envelope, as V1 did. */
function unwrap(text: string): string {
  if (!text.startsWith('{')) return text
  try {
    const envelope = JSON.parse(text) as { type?: unknown; message?: unknown }
    // nobody has said these
    if (envelope.type === 'heartbeat' || envelope.type === 'login') return ''
    if (typeof envelope.message !== 'string') return text
    return envelope.type === 'user_message' ? envelope.message : ''
  } catch {
    return text
  }
}

/** What a sleeptime agent is told is a transcript, in which answers and results are no words of the user. */
const TRANSCRIPT = /^<system-reminder>You are a sleeptime agent:[\s\S]*?\n\nMessages:\n/
const NEXT_ENTRY = /\n(?=\[[\d-]+T[\d:.]+Z\] )/
const USER_ENTRY = /^\[[^\]]+\] user: /

function userPartOf(text: string): string {
  if (!TRANSCRIPT.test(text)) return text
  const entries = text.replace(TRANSCRIPT, '').split(NEXT_ENTRY)
  return entries
    .filter((entry) => USER_ENTRY.test(entry))
    .map((entry) => entry.replace(USER_ENTRY, ''))
    .join('\n')
}

function userText(message: TranscriptMessage | undefined): string {
  if (message?.role !== 'user') return ''
  return message.content
    .map((part) => (part.type === 'text' ? userPartOf(unwrap(part.text)) : ''))
    .join('\n')
    .trim()
    .slice(0, MAX_MESSAGE_CHARS)
    .toWellFormed()
}

/** The last message, without those by which a server lets the model go on. */
export const lastMessage = ({ messages }: ModelRequest): TranscriptMessage | undefined =>
  messages.findLast((message) => message.role !== 'user' || userText(message) !== '')

/** The lines of a block, as sentences: what we wrote ourselves and what others wrote by hand. */
const factsOfBlock = (block: MemoryBlock | undefined): string[] =>
  splitSentences(block?.value ?? '').map((line) => line.replace(/^[-*•]\s+/, ''))

const findNameIn = (facts: readonly string[]): string | undefined =>
  facts.map(findName).findLast((name) => name !== undefined)

/** Messages that are looked at for facts; a demonstration need not read a book. */
const MAX_MESSAGES = 100
/** Characters of a message that are read: what is longer is no sentence for a script, and the patterns are not made for it. */
const MAX_MESSAGE_CHARS = 2_000

/** Reads memory and transcript of a request. Pure. */
export function readRequest(request: ModelRequest): Situation {
  const system = request.messages.find((message) => message.role === 'system')
  const blocks = readMemoryBlocks(system?.role === 'system' ? system.text : '')
  const human =
    blocks.find((block) => block.label === 'human') ?? blocks.find((block) => /human|user/i.test(block.label))
  const said = request.messages
    .slice(-MAX_MESSAGES)
    .map(userText)
    .filter((text) => text !== '')
  const lastText = request.messages.map(userText).findLast((text) => text !== '') ?? ''
  const newFacts = parseFacts(lastText)
  const stored = factsOfBlock(human)
  const heard = said.flatMap(parseFacts)
  const name = findNameIn(newFacts) ?? findNameIn(stored) ?? findNameIn(heard)

  const isStored = new Set(stored.map(normalizeFact))
  const storedName = findNameIn(stored)
  const unknownFacts = newFacts.filter((fact) => {
    const itsName = findName(fact)
    return itsName === undefined
      ? !isStored.has(normalizeFact(fact))
      : normalizeFact(itsName) !== normalizeFact(storedName ?? '')
  })

  const facts = new Map<string, string>()
  for (const fact of [...(name === undefined ? [] : [nameFact(name)]), ...stored, ...heard]) {
    const key = normalizeFact(fact)
    // an earlier name is no fact any more
    if (findName(fact) !== undefined && fact !== nameFact(name ?? '')) continue
    if (!facts.has(key)) facts.set(key, fact)
  }
  return {
    lastText,
    blocks,
    human,
    persona: blocks.find((block) => block.label === 'persona')?.value.trim() ?? '',
    newFacts,
    unknownFacts,
    facts: [...facts.values()],
    name,
  }
}
