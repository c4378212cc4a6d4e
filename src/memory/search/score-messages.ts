import type { MessageFeatures } from '#store/messages/rank-messages.ts'
import { lengthFactor } from '#store/search/rank-by-words.ts'
import { DATED, MEANING, scoreRecency } from './score-texts.ts'

/** What the words of a message count for those that stand one and two places beside it; by half of the LoCoMo conversations. */
const WORD_SHARES = [0.5, 0.4]
/** The same of a question, for what comes right after it: an answer seldom has the words of its question. */
const WORD_SHARE_OF_QUESTION = 0.7
/** And of its meaning. */
const MEANING_SHARES = [0.1, 0.1]
const MEANING_SHARE_OF_QUESTION = 0.3
/** How far messages beside a hit are looked at. */
export const REACH = WORD_SHARES.length

/** A message beside another one. */
interface Beside {
  message: MessageFeatures
  wordShare: number
  meaningShare: number
}

export interface MessageScoring {
  /** Weights of the terms as shares of them all, by place. */
  shares: ReadonlyMap<number, number>
  /** Cosine of what has no vector yet. */
  unknownSimilarity: number
  /** Whether it was said when the query asks about. */
  isDated: (message: MessageFeatures) => boolean
}

/**
 * Scores of messages in their conversations. Of each term counts the best of what it is worth in the message and in those beside it, so that a stretch that has all words of a question
 * comes before one that has the same word everywhere.
 * @param messages hits and what stands beside them
 */
export function scoreMessages(messages: readonly MessageFeatures[], scoring: MessageScoring): Map<string, number> {
  const { isDated } = scoring
  const beside = findBeside(messages)
  const now = Date.now()
  return new Map(
    messages.map((message) => {
      const near = [{ message, wordShare: 1, meaningShare: 1 }, ...(beside.get(message) ?? [])]
      const dated = isDated(message) ? DATED : 0
      const meaning = MEANING * scoreMeaning(near, scoring)
      return [message.id, scoreWords(near, scoring) + meaning + dated + scoreRecency(message, now)]
    }),
  )
}

function scoreWords(near: readonly Beside[], { shares }: MessageScoring): number {
  const best = new Map<number, number>()
  for (const { message, wordShare } of near) {
    const worth = wordShare * lengthFactor(message.size)
    for (const place of message.places) best.set(place, Math.max(best.get(place) ?? 0, worth))
  }
  let sum = 0
  for (const [place, worth] of best) sum += worth * (shares.get(place) ?? 0)
  return sum
}

function scoreMeaning(near: readonly Beside[], { unknownSimilarity }: MessageScoring): number {
  return near.reduce(
    (sum, { message, meaningShare }) => sum + meaningShare * (message.similarity ?? unknownSimilarity),
    0,
  )
}

/** What stands beside each message, as far as it was read: around a hit nothing is missing. */
function findBeside(messages: readonly MessageFeatures[]): Map<MessageFeatures, Beside[]> {
  const windows = Map.groupBy(
    messages.flatMap((message) => message.hit_seqs.map((hitSeq) => ({ hitSeq, message }))),
    ({ hitSeq }) => hitSeq,
  )
  const next = new Map<MessageFeatures, MessageFeatures>()
  for (const window of windows.values()) {
    const inOrder = window.map(({ message }) => message).sort((a, b) => a.seq - b.seq)
    for (const [index, message] of inOrder.entries()) {
      const following = inOrder[index + 1]
      if (following !== undefined) next.set(message, following)
    }
  }
  const beside = new Map<MessageFeatures, Beside[]>()
  const add = (to: MessageFeatures, message: MessageFeatures, wordShare = 0, meaningShare = 0) => {
    const list = beside.get(to)
    if (list === undefined) beside.set(to, [{ message, wordShare, meaningShare }])
    else list.push({ message, wordShare, meaningShare })
  }
  for (const message of messages) {
    let other = next.get(message)
    for (let distance = 1; distance <= REACH && other !== undefined; distance += 1) {
      const isAnswer = distance === 1 && message.asks
      const wordShare = isAnswer ? WORD_SHARE_OF_QUESTION : WORD_SHARES[distance - 1]
      const meaningShare = isAnswer ? MEANING_SHARE_OF_QUESTION : MEANING_SHARES[distance - 1]
      add(other, message, wordShare, meaningShare)
      add(message, other, WORD_SHARES[distance - 1], MEANING_SHARES[distance - 1])
      other = next.get(other)
    }
  }
  return beside
}
