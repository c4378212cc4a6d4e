import { expect, it } from 'vitest'
import type { MessageFeatures } from '#store/messages/rank-messages.ts'
import { scoreMessages } from './score-messages.ts'

/** Messages 1, 2, 3… of a conversation; all were read around a hit in the middle. */
const conversation = (...given: Partial<MessageFeatures>[]): MessageFeatures[] =>
  given.map((one, index) => ({
    id: `m${index + 1}`,
    seq: index + 1,
    conversation_id: 'conv-1',
    created_at: new Date('2023-05-02T10:00:00Z'),
    size: 20,
    places: [],
    similarity: 0,
    asks: false,
    hit_seqs: [3],
    ...one,
  }))
const shares = new Map([
  [1, 0.5],
  [2, 0.5],
])
const score = (messages: MessageFeatures[], isDated = (_: MessageFeatures) => false): Record<string, number> =>
  Object.fromEntries(
    [...scoreMessages(messages, { shares, unknownSimilarity: 0.1, isDated })].map(([id, value]) => [
      id,
      Number(value.toFixed(3)),
    ]),
  )

it('gives what stands beside a hit a share of its words, the nearer the more', () => {
  expect(score(conversation({}, {}, { places: [1] }, {}, {}))).toEqual({
    m1: 0.2,
    m2: 0.25,
    m3: 0.5,
    m4: 0.25,
    m5: 0.2,
  })
})

it('puts a stretch with all words before one that has the same word everywhere', () => {
  const all = score(conversation({}, { places: [1] }, {}, { places: [2] }, {}))
  const same = score(conversation({}, { places: [1] }, {}, { places: [1] }, {}))
  expect(all.m3).toBe(0.5)
  expect(same.m3).toBe(0.25)
})

it('gives more to the answer of a question than to what else stands beside it', () => {
  expect(score(conversation({}, {}, { places: [1, 2], asks: true }, {}, {}))).toMatchObject({ m2: 0.5, m3: 1, m4: 0.7 })
})

it('adds the meaning, a tenth of what stands beside it, and more of a question', () => {
  expect(score(conversation({}, {}, { similarity: 0.8 }, {}, {}))).toMatchObject({ m2: 0.1, m3: 1 })
  expect(score(conversation({}, {}, { similarity: 0.8, asks: true }, {}, {}))).toMatchObject({
    m2: 0.1,
    m3: 1,
    m4: 0.3,
  })
  // without a vector yet: as near as the last that was found by its vector
  expect(score(conversation({}, {}, { similarity: null }, {}, {})).m3).toBe(0.125)
})

it('prefers what was said when the query asks about, short messages, and new ones', () => {
  expect(score(conversation({}, {}, {}), ({ id }) => id === 'm2')).toEqual({ m1: 0, m2: 0.5, m3: 0 })
  const [short, long] = [score(conversation({ places: [1] })), score(conversation({ places: [1], size: 500 }))]
  expect(long.m1).toBeLessThan((short.m1 ?? 0) / 2)
  expect(score(conversation({ created_at: new Date() })).m1).toBe(0.05)
})

it('sees no neighbours across windows that do not touch', () => {
  const apart = conversation({ places: [1], hit_seqs: [1] }, { hit_seqs: [2] })
  expect(score(apart)).toEqual({ m1: 0.5, m2: 0 })
})
