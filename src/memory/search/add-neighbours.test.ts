import { expect, it } from 'vitest'
import { addNeighbours } from './add-neighbours.ts'

const hit = (seq: number, score: number) => ({ id: `m${seq}`, seq, score })
const near = (seq: number, hit_seq: number) => ({ id: `m${seq}`, seq, hit_seq, distance: Math.abs(seq - hit_seq) })

it('puts what stands beside the best hit before a weak hit', () => {
  const found = addNeighbours([hit(10, 10), hit(50, 2)], [near(8, 10), near(9, 10), near(11, 10), near(12, 10)])
  expect(found.map(({ found: { id } }) => id)).toEqual(['m10', 'm11', 'm9', 'm12', 'm8', 'm50'])
})

it('adds up what several hits are worth to one message, and to each other', () => {
  const hits = [hit(10, 4), hit(11, 4)]
  const found = addNeighbours(hits, [near(11, 10), near(12, 10), near(10, 11), near(12, 11)])
  expect(found.map(({ found: { seq }, score }) => [seq, Number(score.toFixed(2))])).toEqual([
    [11, 5.6],
    [10, 5.6],
    [12, 2.8],
  ])
})

it('leaves hits without neighbours in their order, the newer first among equals', () => {
  expect(addNeighbours([hit(1, 1), hit(2, 1), hit(3, 2)], []).map(({ found: { seq } }) => seq)).toEqual([3, 2, 1])
})
