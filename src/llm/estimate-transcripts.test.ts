import { readFileSync } from 'node:fs'
import { encode } from 'gpt-tokenizer/encoding/o200k_base'
import { describe, expect, it } from 'vitest'
import { estimateTokens } from './estimate-tokens.ts'

const source = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8')

const GERMAN = `Guten Morgen! Ich habe gestern mit der Hausverwaltung telefoniert, und die Handwerker kommen jetzt doch erst am Donnerstag zwischen acht und zwölf Uhr. Kannst du bitte den Termin in meinem Kalender eintragen und meiner Frau eine kurze Nachricht schreiben? Außerdem müssen wir die Heizkostenabrechnung prüfen: letztes Jahr waren es 1.248,50 €, dieses Jahr sollen es 1.793,20 € sein, das kommt mir viel zu hoch vor.
Gern. Ich habe mir den Termin gemerkt. Für den Widerspruch gegen die Heizkostenabrechnung haben Sie zwölf Monate Zeit, gerechnet ab dem Zugang der Abrechnung. Soll ich einen Entwurf des Schreibens vorbereiten, in dem Sie um Einsicht in die Belege bitten?
Ja, bitte. Und erinnere mich daran, dass die Versicherungsbescheinigung bis Ende März an die Zulassungsstelle geschickt werden muss.`
const CHINESE = `你好，我想预订下周五晚上七点的餐厅，四个人，最好靠窗。上次我们去的那家店味道不错，可是停车不太方便。
好的，我已经记下来了。请问有没有人对海鲜过敏？另外，预算大概是多少？
我妻子不吃虾，其他人都可以。预算每个人两百元左右。对了，请帮我查一下我的航班CA1832明天几点起飞，还有把会议改到下午三点半。
航班CA1832明天上午10点25分从上海虹桥机场起飞，预计12点50分到达北京。会议已经改到15:30，并且通知了所有参加的人。`
const JAPANESE = `来週の金曜日の夜七時に、四人でレストランを予約したいんですが、できれば窓際の席がいいです。前回行ったお店は料理は美味しかったけど、駐車場が少し不便でした。
かしこまりました。メモしておきます。アレルギーのある方はいらっしゃいますか。ご予算はどのくらいでしょうか。
妻はエビが食べられません。予算は一人あたり五千円くらいです。それから、明日の会議を午後三時半に変更して、参加者全員に連絡してください。`
const KOREAN = `안녕하세요, 다음 주 금요일 저녁 일곱 시에 네 명이 식사할 식당을 예약하고 싶어요. 가능하면 창가 자리로 부탁드립니다. 지난번에 갔던 곳은 음식은 맛있었지만 주차가 조금 불편했어요.
네, 알겠습니다. 혹시 알레르기가 있으신 분이 계신가요? 예산은 어느 정도로 생각하시나요?
아내는 새우를 못 먹어요. 예산은 한 사람당 오만 원 정도입니다. 그리고 내일 회의를 오후 세 시 반으로 옮기고 참석자 모두에게 알려 주세요.`
const FRENCH = `Bonjour, je voudrais déplacer mon rendez-vous de jeudi matin à la semaine prochaine, si c'est possible. Ma fille est malade et je dois rester à la maison jusqu'à mercredi. Pourriez-vous aussi prévenir mon collègue que la réunion n'aura pas lieu et lui envoyer le compte rendu de la dernière séance ?`
const ENGLISH = `Hey, can you remind me what we decided about the budget on Tuesday? I think it was $4,500 but I'm not 100% sure.
We agreed on $4,500 for the first quarter, with $600 held back for travel. You also asked me to book the ferry for the 14th; the confirmation number is ZK-20931-A.
Great. The captain's daughter is getting married that morning, so nothing leaves before noon. Please tell Anna, and move the call with the accountant to Wednesday.`
const RECORDS = JSON.stringify(
  Array.from({ length: 12 }, (_, index) => ({
    id: `order-${(index * 7919).toString(16).padStart(8, '0')}`,
    placed_at: `2026-03-${String(index + 1).padStart(2, '0')}T08:15:00Z`,
    customer: { name: 'Ada Byron', city: index % 2 === 0 ? 'Kiel' : 'Lübeck', is_new: index === 3 },
    lines: [{ sku: `A-${index}-77`, quantity: index + 1, price: 19.9 }],
  })),
)

/** Messages as they stand in a request: texts, arguments of calls, results in their envelope. */
const TRANSCRIPTS: Record<string, string[]> = {
  English: [ENGLISH],
  German: GERMAN.split('\n'),
  French: [FRENCH],
  Chinese: CHINESE.split('\n'),
  Japanese: JAPANESE.split('\n'),
  Korean: KOREAN.split('\n'),
  'code and its discussion': [ENGLISH, source('./registry.ts'), source('./catalog.ts'), 'Please make it faster.'],
  'tools with JSON': [
    ENGLISH,
    '{"query":"orders of Ada in March","limit":12}',
    JSON.stringify({ status: 'OK', message: RECORDS, time: '2026-03-14 08:15:00 AM CET+0100' }),
  ],
  'a document': ['Read this:', source('../../ARCHITECTURE.md'), GERMAN],
  'many languages': [ENGLISH, GERMAN, CHINESE, RECORDS, JAPANESE, KOREAN, FRENCH],
}

describe('the estimate of a transcript is within a tenth of what o200k counts', () => {
  it.each(Object.entries(TRANSCRIPTS))('%s', (name, texts) => {
    const estimated = texts.reduce((sum, text) => sum + estimateTokens(text), 0)
    const counted = texts.reduce((sum, text) => sum + encode(text).length, 0)
    console.info(`${name}: ${(estimated / counted).toFixed(3)} of ${counted}`)
    expect(Math.abs(estimated / counted - 1)).toBeLessThanOrEqual(0.1)
  })
})
