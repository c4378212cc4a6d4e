import { readFileSync } from 'node:fs'
import { encode } from 'gpt-tokenizer/encoding/o200k_base'
import { describe, expect, it } from 'vitest'
import { estimateTokens } from './estimate-tokens.ts'

const readSource = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8')

const PROSE = `The harbour was quiet when we arrived, and most of the boats had already been covered for the winter. An old man on the
pier told us that the ferry would not leave before noon, because the captain's daughter was getting married that morning. So we
sat down in a small café, ordered tea and pancakes, and talked about everything that had happened since we last met: her new job
at the university, my brother's illness, the house in the mountains which nobody wants to buy. “You should write all of this
down,” she said. By eleven o'clock the rain had stopped. Nobody mentioned the letter, although each of us had read it twice.`
const CHAT = `hey, quick question - can you remind me what we decided about the budget on Tuesday? I think it was $4,500 but I'm not 100% sure.
Also please remember that I'm out of office from 3 to 14 March, so don't schedule anything then. thanks!!`
const CHINESE =
  '港口很安静，我们到达的时候大部分船只已经盖上了过冬的帆布。码头上的一位老人告诉我们，渡轮中午以前不会出发，因为船长的女儿今天早上结婚。于是我们在一家小咖啡馆坐下，点了茶和煎饼，谈论上次见面以后发生的一切。'
const JAPANESE =
  '港は静かで、私たちが着いたときには、ほとんどの船がもう冬のために覆われていました。桟橋にいた老人が、船長の娘さんが今朝結婚するので、フェリーは正午まで出ないと教えてくれました。そこで小さなカフェに入り、お茶とパンケーキを注文しました。'
const KOREAN =
  '항구는 조용했고 우리가 도착했을 때 대부분의 배는 이미 겨울을 위해 덮여 있었습니다. 부두에 있던 노인이 선장의 딸이 오늘 아침에 결혼하기 때문에 정오 전에는 배가 떠나지 않는다고 말해 주었습니다.'
const RECORDS = Array.from({ length: 30 }, (_, index) => ({
  id: `passage-0199${index + 10}a0-7c3e-7def-8123-${(index * 7919).toString(16).padStart(12, '0')}`,
  created_at: `2026-03-${String((index % 28) + 1).padStart(2, '0')}T08:${(index % 50) + 10}:00Z`,
  text: 'The user prefers short answers.',
  score: index / 7,
  tags: ['style', null, true],
}))

describe('estimateTokens', () => {
  it.each([
    ['English prose', PROSE],
    ['chat', CHAT],
    ['TypeScript', readSource('./model.ts') + readSource('./demo-model.ts')],
    ['Markdown', readSource('../../README.md')],
    ['JSON', JSON.stringify(RECORDS)],
    ['indented JSON', JSON.stringify(RECORDS, null, 2)],
    ['Chinese', CHINESE],
    ['Japanese', JAPANESE],
    ['Korean', KOREAN],
  ])('comes near o200k on %s', (name, text) => {
    const ratio = estimateTokens(text) / encode(text).length
    console.info(`estimate / o200k on ${name}: ${ratio.toFixed(3)}`)
    expect(ratio).toBeGreaterThan(0.85)
    expect(ratio).toBeLessThan(1.15)
  })

  it('counts nothing for nothing, and something for anything', () => {
    expect(estimateTokens('')).toBe(0)
    for (const text of ['a', '1', '.', '\n', 'é', '字', 'ก', '😀', '\ud800'])
      expect(estimateTokens(text)).toBeGreaterThan(0)
  })

  it('prints how much cheaper than the tokenizer it is', () => {
    const text = PROSE.repeat(200).slice(0, 100_000)
    const time = (count: (text: string) => unknown) => {
      for (let round = 0; round < 5; round += 1) count(text)
      const start = performance.now()
      for (let round = 0; round < 10; round += 1) count(text)
      return (performance.now() - start) / 10
    }
    const estimateMs = time(estimateTokens)
    const encodeMs = time((input) => encode(input).length)
    console.info(
      `100 kB: ${estimateMs.toFixed(2)} ms, ${(encodeMs / estimateMs).toFixed(0)} times faster than the tokenizer`,
    )
    expect(estimateTokens(text)).toBeGreaterThan(10_000)
  })
})
